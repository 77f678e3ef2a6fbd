"""The conditions of a TrackingServer and the reasons they give, each with one line on when it is true.

`decisions/status.py` decides them; docs/reference/conditions.md says what a person does about each.
"""

from enum import StrEnum
from typing import Self


class ConditionType(StrEnum):
    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    READY = "Ready", "What the spec asks for is what serves."
    RECONCILING = "Reconciling", "The operator is working on this generation; absent when it is not."
    STALLED = "Stalled", "Nothing more happens until a person changes something; absent when all is well."
    AVAILABLE = "Available", "At least one pod of the server answers."
    REFERENCES_RESOLVED = "ReferencesResolved", "Every Secret that the spec names is there, with its key."
    DATABASE_REACHABLE = "DatabaseReachable", "The newest Job or pod that tried could connect to the database."
    ARTIFACT_STORE_REACHABLE = (
        "ArtifactStoreReachable",
        "The newest Job that tried could write to the artifact store, read, list and delete.",
    )
    SCHEMA_CURRENT = "SchemaCurrent", "The schema of the database is the one that the wanted image needs."
    UPGRADE_IN_PROGRESS = "UpgradeInProgress", "Steps of an upgrade are being taken; the reason names the step."


class Reason(StrEnum):
    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    # At rest.
    NOT_OBSERVED = "NotObserved", "Nothing is known about it yet."
    ALL_REPLICAS_READY = "AllReplicasReady", "Every wanted pod runs the wanted version and is ready."
    SUSPENDED = "Suspended", "spec.suspend is true: no pod runs, the data is kept."
    MINIMUM_REPLICAS_AVAILABLE = "MinimumReplicasAvailable", "At least one pod is ready."
    NO_REPLICAS = "NoReplicas", "No pod is ready."
    IDLE = "Idle", "No upgrade is needed or running."

    # The spec and what it refers to.
    INVALID_SPEC = "InvalidSpec", "Fields of the spec are wrong; the message names each."
    RESOLVED = "Resolved", "Everything that the spec names was found."
    NOT_FOUND = "NotFound", "A Secret that the spec names does not exist."
    KEY_MISSING = "KeyMissing", "A Secret exists, and does not have the key that the spec names."
    REFERENCE_MISSING = "ReferenceMissing", "Waiting for a Secret that the spec names."
    NAME_TAKEN = "NameTaken", "An object that is not of this TrackingServer has the name of a child; it is left alone."
    WAITING_FOR_DELETION = (
        "WaitingForDeletion",
        "What an earlier TrackingServer of this name has left is being deleted.",
    )
    CLUSTER_REFUSED = "ClusterRefused", "The API server refused a request: permissions, a quota, an admission rule."

    # The steps of an upgrade.
    CHECKING = "Checking", "A Job with the wanted image looks at the database."
    QUIESCING = "Quiescing", "The pods of the server are being stopped, so that nothing is written any more."
    RUNNING_HOOKS = "RunningHooks", "The Jobs of spec.upgrade.hooks.preMigration run, one after the other."
    BACKING_UP = "BackingUp", "A Job takes a backup of the database."
    VERIFYING_BACKUP = "VerifyingBackup", "A Job reads the backup back."
    MIGRATING = "Migrating", "A Job migrates the schema of the database."
    RESTORING = "Restoring", "A Job puts the backup back, after a migration that failed."
    ROLLING_OUT = "RollingOut", "Pods of the wanted version are being started."

    # The database.
    CONNECTED = "Connected", "The database answered, or the artifact store did what was tried."
    DATABASE_UNREACHABLE = "DatabaseUnreachable", "The database does not answer, or refuses the credentials."
    UP_TO_DATE = "UpToDate", "The schema needs no migration."
    EMPTY = "Empty", "The database holds no schema yet."
    MIGRATION_REQUIRED = "MigrationRequired", "The schema is older than the wanted image needs."
    SCHEMA_NEWER_THAN_IMAGE = (
        "SchemaNewerThanImage",
        "A newer version has migrated the database; this image is too old.",
    )
    SCHEMA_FOREIGN = "SchemaForeign", "The database holds tables that are not those of a tracking server."

    # The artifact store.
    ON_VOLUME = "OnVolume", "Artifacts are on a volume: there is no store to reach."
    CHECKING_STORE = "CheckingStore", "A Job with the wanted image tries the artifact store."
    ARTIFACT_STORE_UNREACHABLE = "ArtifactStoreUnreachable", "The artifact store does not answer, or is busy."
    ACCESS_DENIED = "AccessDenied", "The artifact store refuses the credentials, or what was tried with them."
    NO_SUCH_BUCKET = "NoSuchBucket", "The bucket or container does not exist."
    WRONG_REGION = "WrongRegion", "The bucket is in another region than the one that is asked."
    STORE_MISCONFIGURED = "StoreMisconfigured", "The artifact store does not take the calls as they are configured."
    TLS_FAILED = "TLSFailed", "The certificate of the artifact store is not one that is trusted."
    SKEWED_CLOCK = "SkewedClock", "The clock of the node differs too much from that of the artifact store."
    STORE_CHECK_FAILED = "StoreCheckFailed", "The Job that tries the artifact store failed."

    # What failed.
    CONFIG_INVALID = "ConfigInvalid", "The server's command line refused its configuration."
    LOCK_BUSY = "LockBusy", "Another process holds the migration lock of the database."
    IMAGE_UNUSABLE = "ImageUnusable", "The wanted image cannot be pulled or started."
    CHECK_FAILED = "CheckFailed", "The Job that looks at the database failed."
    HOOK_FAILED = "HookFailed", "A hook failed; the migration was not begun."
    BACKUP_FAILED = "BackupFailed", "The backup failed; the migration was not begun."
    BACKUP_VERIFY_FAILED = "BackupVerifyFailed", "The backup could not be read back; the migration was not begun."
    MIGRATION_FAILED = "MigrationFailed", "The migration failed; spec.upgrade.onFailure decides what then serves."
    RESTORE_FAILED = "RestoreFailed", "The backup could not be put back after a migration that failed."
    ROLLOUT_FAILED = "RolloutFailed", "Pods of the wanted version do not become ready."
