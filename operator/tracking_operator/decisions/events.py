"""The Events that the operator records about a TrackingServer. Their reasons are stable.

A status that could not be written makes its Events come again; an operator that dies in between loses them. The
conditions are the truth, Events are the story. docs/reference/events.md lists exactly these reasons.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Self

from tracking_operator.resource.kinds import Ref

LONGEST_NOTE: Final = 1024


class EventReason(StrEnum):
    type: Literal["Normal", "Warning"]
    meaning: str

    def __new__(cls, value: str, kind: Literal["Normal", "Warning"], meaning: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.type = kind
        member.meaning = meaning
        return member

    PREFLIGHT_PASSED = "PreflightPassed", "Normal", "The wanted image started and reached the database."
    NOTHING_TO_MIGRATE = "NothingToMigrate", "Normal", "The schema is what the wanted image needs."
    UPGRADE_PLANNED = "UpgradePlanned", "Normal", "The schema has to be migrated; the steps are in the status."
    QUIESCED = "Quiesced", "Normal", "No pod of the server runs any more, nothing is written."
    HOOKS_COMPLETED = "HooksCompleted", "Normal", "All hooks before the migration succeeded."
    BACKUP_STARTED = "BackupStarted", "Normal", "A Job takes a backup of the database."
    BACKUP_COMPLETED = "BackupCompleted", "Normal", "The backup is written."
    BACKUP_VERIFIED = "BackupVerified", "Normal", "The backup was read back."
    MIGRATION_STARTED = "MigrationStarted", "Normal", "A Job migrates the schema."
    MIGRATION_SUCCEEDED = "MigrationSucceeded", "Normal", "The schema is what the wanted image needs."
    ROLLOUT_STARTED = "RolloutStarted", "Normal", "Pods of the wanted version are being started."
    ROLLOUT_COMPLETED = "RolloutCompleted", "Normal", "Every wanted pod is ready."
    SUSPENDED = "Suspended", "Normal", "The server was stopped because spec.suspend asks for it."
    RESUMED = "Resumed", "Normal", "The server starts again: spec.suspend is false."
    DRIFT_CORRECTED = "DriftCorrected", "Normal", "Somebody had changed fields of a child; they were set back."
    INVALID_SPEC = "InvalidSpec", "Warning", "The spec has faults; nothing is done until they are mended."
    INVALID_REFERENCE = "InvalidReference", "Warning", "A Secret that the spec names does not exist."
    SECRET_KEY_MISSING = "SecretKeyMissing", "Warning", "A Secret does not have the key that the spec names."
    NAME_TAKEN = "NameTaken", "Warning", "An object of somebody else has the name of a child; it is left alone."
    PREFLIGHT_FAILED = "PreflightFailed", "Warning", "The check of the database failed; what serves is left alone."
    IMAGE_UNUSABLE = (
        "ImageUnusable",
        "Warning",
        "The wanted image cannot be pulled or started; what serves is left alone.",
    )
    DATABASE_UNREACHABLE = "DatabaseUnreachable", "Warning", "The database does not answer, or refuses the credentials."
    ARTIFACT_STORE_CHECKED = "ArtifactStoreChecked", "Normal", "The artifact store can be used with the credentials."
    ARTIFACT_STORE_UNREACHABLE = (
        "ArtifactStoreUnreachable",
        "Warning",
        "The artifact store cannot be used; what serves is left alone.",
    )
    SCHEMA_NEWER_THAN_IMAGE = "SchemaNewerThanImage", "Warning", "The database was migrated by a newer version."
    HOOK_FAILED = "HookFailed", "Warning", "A hook failed; what served is started again."
    BACKUP_FAILED = "BackupFailed", "Warning", "The backup failed; what served is started again."
    BACKUP_VERIFY_FAILED = "BackupVerifyFailed", "Warning", "The backup cannot be read; what served is started again."
    MIGRATION_FAILED = "MigrationFailed", "Warning", "The migration failed; spec.upgrade.onFailure says what follows."
    RESTORE_STARTED = "RestoreStarted", "Warning", "A Job puts the backup back."
    ROLLED_BACK = "RolledBack", "Warning", "The backup is back in place, what served before is started again."
    RESTORE_FAILED = "RestoreFailed", "Warning", "The backup could not be put back."
    ROLLOUT_STALLED = "RolloutStalled", "Warning", "Pods of the wanted version do not become ready."
    CLUSTER_REFUSED = "ClusterRefused", "Warning", "The API server refused a request of the operator."


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """One Event about a TrackingServer. `related` is the child that it is about, when there is one."""

    reason: EventReason
    note: str
    related: Ref | None = None

    @property
    def type(self) -> Literal["Normal", "Warning"]:
        return self.reason.type
