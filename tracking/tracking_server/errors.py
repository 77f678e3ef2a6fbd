"""What can go wrong in the tracking server, named for what the caller should do next.

TrackingError                   an MLflow `error_code` and an HTTP status
├── InvalidParameter            400  the request must change
│   └── BadRequest              400  the database refused a value
├── AlreadyExists               400  choose another name, or use what exists
├── DoesNotExist                404  the thing is not there
├── EndpointNotFound            404  the path is not part of the API
├── PermissionDenied            403  the edge refuses the request
├── InvalidState                400  the thing is there, but deleted: restore it first
├── NotImplementedHere          501  this server, store or database cannot do that; the message says what would
├── TemporarilyUnavailable      503  try again later
└── InternalError               500  our bug; the log has the request id

The codes and their statuses are those of the MLflow REST API (mlflow/protos/databricks.proto, `ErrorCode`).

CommandFailed                   a process or a command cannot do its work; its class is the reason, with an exit code
├── ConfigInvalid               10   what it was told must change
├── DatabaseUnreachable         11   try again when the database answers
├── LockBusy                    12   another migration runs; try again when it has ended
├── SchemaUnsupported           13   the database is not one that this release can use
├── MigrationFailed             14   the database is where the message says; a person decides
├── BackupFailed                15   nothing was changed
├── RestoreFailed               16   the target is not complete
├── GarbageCollectionFailed     17   what was not removed stays claimed; run it again
├── ArtifactStoreFailed         18   the store cannot be used; the reason says in which way
├── ImportFailed                19   what was written is whole; run it again, and it goes on
└── ExportFailed                20   no folder was made
"""

import json
from typing import ClassVar

_SHOWN_CHARACTERS = 200


class TrackingError(Exception):
    """An answer that is not a success. `message` is for the user: what was asked, what was found, what to do."""

    error_code: ClassVar[str] = "INTERNAL_ERROR"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidParameter(TrackingError):
    error_code = "INVALID_PARAMETER_VALUE"
    http_status = 400


def invalid_value(value: object, place: str, reason: str) -> InvalidParameter:
    """Starts as the message of MLflow's server does, which shows the value as JSON; clients look for that."""
    return InvalidParameter(f"Invalid value {as_json(value)} for parameter '{place}' supplied: {reason}")


def as_json(value: object) -> str:
    """The beginning of it, when it is long."""
    text = json.dumps(value, separators=(",", ":"), default=str)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


class BadRequest(InvalidParameter):
    error_code = "BAD_REQUEST"


class AlreadyExists(TrackingError):
    """400, not 409: the MLflow client branches on the code, MLflow's server answers 400."""

    error_code = "RESOURCE_ALREADY_EXISTS"
    http_status = 400


class DoesNotExist(TrackingError):
    error_code = "RESOURCE_DOES_NOT_EXIST"
    http_status = 404


class EndpointNotFound(TrackingError):
    error_code = "ENDPOINT_NOT_FOUND"
    http_status = 404


class PermissionDenied(TrackingError):
    error_code = "PERMISSION_DENIED"
    http_status = 403


class InvalidState(TrackingError):
    """400, where MLflow's server answers 500: clients repeat a 500 for minutes, and the code is what they look at."""

    error_code = "INVALID_STATE"
    http_status = 400


class NotImplementedHere(TrackingError):
    error_code = "NOT_IMPLEMENTED"
    http_status = 501


class TemporarilyUnavailable(TrackingError):
    """`retry_after_seconds` becomes the header Retry-After."""

    error_code = "TEMPORARILY_UNAVAILABLE"
    http_status = 503

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class InternalError(TrackingError):
    pass


class CommandFailed(Exception):
    """The end of a command that could not do its work. `message` is for the person who runs it, without secrets."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def reason(self) -> str:
        return type(self).__name__


class ConfigInvalid(CommandFailed):
    exit_code = 10


class DatabaseUnreachable(CommandFailed):
    exit_code = 11


class LockBusy(CommandFailed):
    exit_code = 12


class SchemaUnsupported(CommandFailed):
    exit_code = 13


class MigrationFailed(CommandFailed):
    exit_code = 14


class BackupFailed(CommandFailed):
    exit_code = 15


class RestoreFailed(CommandFailed):
    exit_code = 16


class GarbageCollectionFailed(CommandFailed):
    exit_code = 17


class ArtifactStoreFailed(CommandFailed):
    """`reason` is the word for what is wrong with the store, as conditions of a TrackingServer use it."""

    exit_code = 18

    def __init__(self, message: str, reason: str = "ArtifactStoreUnreachable") -> None:
        super().__init__(message)
        self._reason = reason

    @property
    def reason(self) -> str:
        return self._reason


class ImportFailed(CommandFailed):
    exit_code = 19


class ExportFailed(CommandFailed):
    exit_code = 20
