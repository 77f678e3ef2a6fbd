"""(spec, places) to the argv and the environment of every process that we start, on a cluster and off it.

Secrets stay references here, and reach a process through its environment only.
"""

from dataclasses import dataclass
from typing import Final, assert_never

from tracking_operator.desired import artifact_store
from tracking_operator.desired.allowed_hosts import allowed_hosts
from tracking_operator.desired.places import Places
from tracking_operator.resource.spec import (
    EnvFromSecret,
    EnvValue,
    EnvVar,
    ExternalDatabase,
    GarbageCollection,
    Hook,
    Sqlite,
    TrackingServer,
)

SQLITE_FILE: Final = "mlflow.db"

# The environment of the server's command line, as the server reads it.
DATABASE_URI: Final = "MLFLOW_BACKEND_STORE_URI"
WORKERS: Final = "MLFLOW_WORKERS"
HOST: Final = "MLFLOW_HOST"
PORT: Final = "MLFLOW_PORT"
ALLOWED_HOSTS: Final = "MLFLOW_SERVER_ALLOWED_HOSTS"
WEBHOOK_KEY: Final = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"
CREATE_SCHEMA: Final = "TRACKPLANE_CREATE_SCHEMA"
REPORT_FILE: Final = "TRACKPLANE_REPORT_FILE"
TEMPORARY_FOLDER: Final = "TMPDIR"


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    argv: tuple[str, ...]
    """Empty: whatever the image runs by itself (a hook may leave it out)."""
    args: tuple[str, ...] = ()
    """Added to argv, or to the entry point of the image."""
    env: tuple[EnvVar, ...]


def server_command(server: TrackingServer, places: Places) -> Command:
    """The tracking server. It never makes or migrates a schema: that is the migration Job's work alone."""
    return Command(
        argv=(*places.executable, "server"),
        env=(
            database_uri(server, places),
            *artifact_store.environment(server, places),
            EnvValue(name=WORKERS, value=str(server.spec.server.workers)),
            EnvValue(name=HOST, value=places.host),
            EnvValue(name=PORT, value=str(places.port)),
            EnvValue(name=ALLOWED_HOSTS, value=",".join(allowed_hosts(server))),
            *_webhook_key(server),
            EnvValue(name=CREATE_SCHEMA, value="false"),
            EnvValue(name=TEMPORARY_FOLDER, value=places.temporary),
        ),
    )


def check_command(server: TrackingServer, places: Places) -> Command:
    """What the database is, and whether this image would have to migrate it."""
    return _job(places, "db", "check", env=(database_uri(server, places),))


def store_check_command(server: TrackingServer, places: Places) -> Command:
    """Whether the artifact store can be written, read, listed and deleted from with the credentials of the server."""
    return _job(places, "artifacts", "check", env=artifact_store.environment(server, places))


def migration_command(server: TrackingServer, places: Places) -> Command:
    return _job(places, "db", "upgrade", env=(database_uri(server, places),))


def backup_command(server: TrackingServer, places: Places) -> Command:
    """The archive gets a name of its own in the folder of backups; the report says which."""
    return _job(places, "backup", "--to", places.backups, env=(database_uri(server, places),))


def verify_command(places: Places, archive: str) -> Command:
    """Needs the archive and nothing else."""
    return _job(places, "backup", "verify", archive)


def restore_command(server: TrackingServer, places: Places, archive: str) -> Command:
    """Puts the archive in place of what the database holds."""
    return _job(places, "restore", archive, "--replace", env=(database_uri(server, places),))


def gc_command(server: TrackingServer, gc: GarbageCollection, places: Places) -> Command:
    env = (database_uri(server, places), *artifact_store.environment(server, places))
    return _job(places, "gc", "--older-than", gc.older_than, env=env)


def hook_command(hook: Hook, places: Places) -> Command:
    """A hook is somebody else's program: it gets its own environment, and no credentials that it does not name."""
    ours = (EnvValue(name=TEMPORARY_FOLDER, value=places.temporary),)
    theirs = {variable.name for variable in hook.env}
    env = (*(variable for variable in ours if variable.name not in theirs), *hook.env)
    return Command(argv=hook.command, args=hook.args, env=env)


def database_uri(server: TrackingServer, places: Places) -> EnvVar:
    match server.spec.database:
        case Sqlite():
            return EnvValue(name=DATABASE_URI, value=f"sqlite:///{places.database}/{SQLITE_FILE}")
        case ExternalDatabase(uri_secret_ref=reference):
            return EnvFromSecret(name=DATABASE_URI, secret_key_ref=reference)
        case _ as never:
            assert_never(never)


def _webhook_key(server: TrackingServer) -> tuple[EnvVar, ...]:
    """For the server alone: no Job sends a webhook."""
    key = server.spec.server.webhook_key
    return () if key is None else (EnvFromSecret(name=WEBHOOK_KEY, secret_key_ref=key),)


def _job(places: Places, *arguments: str, env: tuple[EnvVar, ...] = ()) -> Command:
    return Command(
        argv=(*places.executable, *arguments),
        env=(
            *env,
            EnvValue(name=REPORT_FILE, value=places.report),
            EnvValue(name=TEMPORARY_FOLDER, value=places.temporary),
        ),
    )
