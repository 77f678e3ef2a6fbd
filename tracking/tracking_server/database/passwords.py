"""Passwords that may change while we run: each new connection asks for the one that is good now."""

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection

from tracking_server.database.access import DatabaseAccess
from tracking_server.errors import TemporarilyUnavailable

COMMAND_SECONDS: Final = 30
"""How long a token command may take."""

_LIMIT_BYTES: Final = 64 * 1024
_YOUNG_SECONDS: Final = 10.0
"""A token of this age was good: a database that refuses it has another reason, and no command is run for it again."""

_UNREACHABLE: Final = "The password for the database cannot be had now. Try again."


class PasswordUnavailable(Exception):
    """Why, for the administrator; no user of the API is told."""


class PasswordSource(Protocol):
    def password(self) -> str:
        """Raises PasswordUnavailable."""
        ...

    def another(self, refused: str) -> str | None:
        """What to try in place of one that was refused; None when there is nothing new."""
        ...


class PasswordFile:
    def __init__(self, path: Path) -> None:
        self._path = path

    def password(self) -> str:
        try:
            text = self._path.read_text(encoding="utf-8")
        except OSError as error:
            raise PasswordUnavailable(f"the password file {self._path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise PasswordUnavailable(f"the password file {self._path} is not UTF-8") from None
        password = text.rstrip("\r\n")
        if not password or "\n" in password or "\0" in password or len(password) > _LIMIT_BYTES:
            raise PasswordUnavailable(f"the password file {self._path} does not have one line with a password")
        return password

    def another(self, refused: str) -> str | None:
        """It may have been replaced since it was read."""
        now = self.password()
        return now if now != refused else None


class TokenCommand:
    """One process at a time; what it printed serves for a while."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        good_seconds: float,
        timeout_seconds: float = COMMAND_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._good_seconds = good_seconds
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._asking = threading.Lock()
        self._token = ""
        self._had_at = 0.0

    def password(self) -> str:
        with self._asking:
            if not self._token or self._clock() - self._had_at >= self._good_seconds:
                self._ask()
            return self._token

    def another(self, refused: str) -> str | None:
        with self._asking:
            if self._token == refused:
                if self._clock() - self._had_at < _YOUNG_SECONDS:
                    return None
                self._ask()
            return self._token if self._token != refused else None

    def _ask(self) -> None:
        self._token = _first_line(_output(self._command, self._timeout_seconds))
        self._had_at = self._clock()


def _output(command: Sequence[str], timeout_seconds: float) -> bytes:
    """Nothing of it is ever shown: it is a secret, or may have one in it."""
    try:
        done = subprocess.run(  # noqa: S603 - the administrator's own command, without a shell
            command, check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_seconds
        )
    except subprocess.TimeoutExpired:
        raise PasswordUnavailable(f"the token command took more than {timeout_seconds:g} seconds") from None
    except OSError as error:
        raise PasswordUnavailable(f"the token command {command[0]} cannot be run: {error.strerror}") from None
    if done.returncode != 0:
        raise PasswordUnavailable(f"the token command {command[0]} ended with {done.returncode}")
    return done.stdout


def _first_line(output: bytes) -> str:
    try:
        token = output.decode().strip()
    except UnicodeDecodeError:
        token = ""
    if not token or "\n" in token or "\0" in token or len(token) > _LIMIT_BYTES:
        raise PasswordUnavailable("the token command did not print one line with a token")
    return token


def password_source(access: DatabaseAccess) -> PasswordSource | None:
    if access.database_password_file is not None:
        return PasswordFile(access.database_password_file)
    if access.database_token_command:
        return TokenCommand(access.database_token_command, good_seconds=access.database_token_seconds)
    return None


class ConnectWithPassword:
    """For SQLAlchemy's event `do_connect`."""

    def __init__(self, source: PasswordSource) -> None:
        self._source = source

    def __call__(
        self, dialect: Dialect, _record: object, arguments: Sequence[Any], parameters: dict[str, Any]
    ) -> DBAPIConnection:
        try:
            password = self._source.password()
            try:
                return dialect.connect(*arguments, **{**parameters, "password": password})
            except dialect.loaded_dbapi.Error:
                another = self._source.another(password)
                if another is None:
                    raise
            return dialect.connect(*arguments, **{**parameters, "password": another})
        except PasswordUnavailable as error:
            raise TemporarilyUnavailable(_UNREACHABLE) from error
