from collections.abc import Callable

import pytest

from tests.support.servers import EXTERNAL, a_server
from tracking_operator.desired import commands
from tracking_operator.desired.commands import Command
from tracking_operator.desired.places import CLUSTER, Places
from tracking_operator.resource.spec import EnvFromSecret, EnvValue, SecretKey, TrackingServer

HERE = Places(
    executable=("python", "-m", "tracking_server"),
    database="/data/demo/database",
    artifacts="/data/demo/artifacts",
    backups="/data/demo/backups",
    secrets="/data/demo/secrets",
    temporary="/data/demo/tmp",
    report="/data/demo/report",
    host="127.0.0.1",
    port=8080,
)
SQLITE_URI = EnvValue(name="MLFLOW_BACKEND_STORE_URI", value="sqlite:////var/lib/trackplane/database/mlflow.db")
SECRET_URI = EnvFromSecret(name="MLFLOW_BACKEND_STORE_URI", secret_key_ref=SecretKey(name="database", key="uri"))
REPORT = EnvValue(name="TRACKPLANE_REPORT_FILE", value="/dev/termination-log")
TEMPORARY = EnvValue(name="TMPDIR", value="/tmp")


def test_the_server_is_told_everything_by_its_environment() -> None:
    command = commands.server_command(a_server(server={"workers": 3}), CLUSTER)
    assert command.argv == ("trackplane", "server")
    assert _values(command) == {
        "MLFLOW_BACKEND_STORE_URI": "sqlite:////var/lib/trackplane/database/mlflow.db",
        "MLFLOW_ARTIFACTS_DESTINATION": "/var/lib/trackplane/artifacts",
        "MLFLOW_WORKERS": "3",
        "MLFLOW_HOST": "0.0.0.0",
        "MLFLOW_PORT": "5000",
        "MLFLOW_SERVER_ALLOWED_HOSTS": _values(command)["MLFLOW_SERVER_ALLOWED_HOSTS"],
        "TRACKPLANE_CREATE_SCHEMA": "false",
        "TMPDIR": "/tmp",
    }


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        pytest.param(commands.check_command(a_server(), CLUSTER), ("db", "check"), id="check"),
        pytest.param(commands.migration_command(a_server(), CLUSTER), ("db", "upgrade"), id="migration"),
        pytest.param(
            commands.backup_command(a_server(), CLUSTER), ("backup", "--to", "/var/lib/trackplane/backups"), id="backup"
        ),
        pytest.param(
            commands.restore_command(a_server(), CLUSTER, "/b/one"), ("restore", "/b/one", "--replace"), id="restore"
        ),
    ],
)
def test_a_job_runs_one_command_of_the_server_and_reports(command: Command, argv: tuple[str, ...]) -> None:
    assert command == Command(argv=("trackplane", *argv), env=(SQLITE_URI, REPORT, TEMPORARY))


def test_whoever_reads_an_archive_back_knows_no_database() -> None:
    command = commands.verify_command(CLUSTER, "/b/one")
    assert command == Command(argv=("trackplane", "backup", "verify", "/b/one"), env=(REPORT, TEMPORARY))


def test_gc_is_told_the_age_and_where_the_artifacts_are() -> None:
    server = a_server(gc={"schedule": "@daily", "olderThan": "7d"})
    assert server.spec.gc is not None
    command = commands.gc_command(server, server.spec.gc, CLUSTER)
    assert command.argv == ("trackplane", "gc", "--older-than", "7d")
    destination = EnvValue(name="MLFLOW_ARTIFACTS_DESTINATION", value="/var/lib/trackplane/artifacts")
    assert command.env == (SQLITE_URI, destination, REPORT, TEMPORARY)


@pytest.mark.parametrize("render", [commands.server_command, commands.check_command, commands.backup_command])
def test_the_uri_of_an_external_database_stays_a_reference(render: Callable[[TrackingServer, Places], Command]) -> None:
    command = render(a_server(database=EXTERNAL), CLUSTER)
    assert SECRET_URI in command.env
    assert [variable.name for variable in command.env].count("MLFLOW_BACKEND_STORE_URI") == 1


def test_the_key_for_webhooks_stays_a_reference_and_goes_to_the_server_alone() -> None:
    server = a_server(server={"webhooks": {"secretEncryptionKeySecretRef": {"name": "webhooks"}}})
    reference = SecretKey(name="webhooks", key="key")
    key = EnvFromSecret(name="MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY", secret_key_ref=reference)
    assert key in commands.server_command(server, CLUSTER).env
    assert key not in commands.migration_command(server, CLUSTER).env
    assert commands.server_command(a_server(server={"webhooks": {}}), CLUSTER) == commands.server_command(
        a_server(), CLUSTER
    )


def test_a_hook_gets_its_own_words_and_environment_and_no_credentials() -> None:
    env = [{"name": "A", "value": "b"}]
    hook = _hook(command=["sh", "-c"], args=["true"], env=env)
    assert commands.hook_command(hook.spec.upgrade.hooks.pre_migration[0], CLUSTER) == Command(
        argv=("sh", "-c"), args=("true",), env=(TEMPORARY, EnvValue(name="A", value="b"))
    )


def test_a_hook_may_set_what_we_would_set() -> None:
    hook = _hook(env=[{"name": "TMPDIR", "value": "/var/lib/trackplane/backups"}])
    command = commands.hook_command(hook.spec.upgrade.hooks.pre_migration[0], CLUSTER)
    assert command.env == (EnvValue(name="TMPDIR", value="/var/lib/trackplane/backups"),)


def test_off_the_cluster_only_the_places_differ() -> None:
    server = a_server()
    command = commands.server_command(server, HERE)
    assert command.argv == ("python", "-m", "tracking_server", "server")
    there, here = _values(commands.server_command(server, CLUSTER)), _values(command)
    assert here.keys() == there.keys()
    assert {name: value for name, value in here.items() if value != there[name]} == {
        "MLFLOW_BACKEND_STORE_URI": "sqlite:////data/demo/database/mlflow.db",
        "MLFLOW_ARTIFACTS_DESTINATION": "/data/demo/artifacts",
        "MLFLOW_HOST": "127.0.0.1",
        "MLFLOW_PORT": "8080",
        "TMPDIR": "/data/demo/tmp",
    }


def _values(command: Command) -> dict[str, str]:
    return {variable.name: variable.value for variable in command.env if isinstance(variable, EnvValue)}


def _hook(**fields: object) -> TrackingServer:
    return a_server(upgrade={"hooks": {"preMigration": [{"name": "one", "image": "busybox", **fields}]}})
