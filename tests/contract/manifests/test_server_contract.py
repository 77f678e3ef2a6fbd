"""What the operator tells the server, the server understands: environment, commands, exit codes, paths of probes."""

from collections.abc import Sequence
from typing import Final

import click
import pytest
from cryptography.fernet import Fernet

from tests.support.servers import a_server, an_external_server
from tracking_operator.desired import commands
from tracking_operator.desired.commands import Command
from tracking_operator.desired.deployment import LIVE_PATH, READY_PATH
from tracking_operator.desired.job import TERMINAL_EXIT_CODES
from tracking_operator.desired.places import CLUSTER
from tracking_operator.desired.service import endpoint
from tracking_operator.resource.conditions import Reason
from tracking_operator.resource.spec import EnvFromSecret, EnvValue, TrackingServer
from tracking_server.__main__ import main
from tracking_server.commands.report import REPORT_FILE
from tracking_server.errors import (
    BackupFailed,
    CommandFailed,
    ConfigInvalid,
    DatabaseUnreachable,
    LockBusy,
    MigrationFailed,
    RestoreFailed,
    SchemaUnsupported,
)
from tracking_server.settings import EMBEDDED_DATABASE, SETTINGS, Settings
from tracking_server.web.assembly import ROWS
from tracking_server.web.hosts import HostRule

SECRET_URI: Final = "postgresql://user:password@postgresql:5432/mlflow"
ARCHIVE: Final = "/var/lib/trackplane/backups/one.zst"
USAGE: Final = 2


def _environ(command: Command) -> dict[str, str]:
    """As a container sees it."""
    return {variable.name: variable.value if isinstance(variable, EnvValue) else SECRET_URI for variable in command.env}


def _gc_command(server: TrackingServer) -> Command:
    assert server.spec.gc is not None
    return commands.gc_command(server, server.spec.gc, CLUSTER)


@pytest.mark.parametrize(
    ("server", "uri"),
    [
        pytest.param(a_server(), "sqlite:////var/lib/trackplane/database/mlflow.db", id="SQLite"),
        pytest.param(an_external_server(), SECRET_URI, id="by a Secret"),
    ],
)
def test_the_environment_is_read_as_the_settings_that_the_spec_means(server: TrackingServer, uri: str) -> None:
    settings = Settings.from_environ(_environ(commands.server_command(server, CLUSTER)))
    assert settings.backend_store_uri.reveal() == uri
    assert settings.artifacts_destination == CLUSTER.artifacts
    assert (settings.host, settings.port, settings.workers) == (CLUSTER.host, CLUSTER.port, 2)
    assert settings.creates_schema is False
    assert settings.checks_requests is True


def test_the_key_for_webhooks_is_read_as_such() -> None:
    """Nothing but a key would do: the URI of the database is refused."""
    server = a_server(server={"webhooks": {"secretEncryptionKeySecretRef": {"name": "webhooks"}}})
    environ = _environ(commands.server_command(server, CLUSTER))
    with pytest.raises(ConfigInvalid, match=commands.WEBHOOK_KEY):
        Settings.from_environ(environ)
    key = Fernet.generate_key().decode()
    settings = Settings.from_environ({**environ, commands.WEBHOOK_KEY: key})
    assert settings.webhook_secret_key is not None
    assert settings.webhook_secret_key.reveal() == key


def test_no_variable_is_one_that_the_server_does_not_read() -> None:
    known = {setting.env for setting in SETTINGS} | {commands.TEMPORARY_FOLDER, REPORT_FILE}
    for command in (
        commands.server_command(a_server(), CLUSTER),
        commands.check_command(a_server(), CLUSTER),
        _gc_command(a_server(gc={"schedule": "@daily"})),
    ):
        assert _environ(command).keys() <= known
    assert commands.REPORT_FILE == REPORT_FILE
    assert EMBEDDED_DATABASE.endswith(commands.SQLITE_FILE)


@pytest.mark.parametrize(
    "host",
    [
        "demo",
        "demo:5000",
        "demo.ml.svc",
        "demo.ml.svc:5000",
        "demo.ml.svc.cluster.local:5000",
        "localhost:38473",
        "127.0.0.1:5000",
        "[::1]:5000",
        "mlflow.example.com",
    ],
)
def test_every_way_to_the_server_passes_its_host_check(host: str) -> None:
    server = a_server(server={"allowedHosts": ["mlflow.example.com"]})
    settings = Settings.from_environ(_environ(commands.server_command(server, CLUSTER)))
    assert HostRule(settings.allowed_hosts).allows(host)
    assert not HostRule(settings.allowed_hosts).allows("evil.example.com")


def test_the_endpoint_passes_the_host_check() -> None:
    server = a_server(networking={"service": {"port": 80}})
    settings = Settings.from_environ(_environ(commands.server_command(server, CLUSTER)))
    assert HostRule(settings.allowed_hosts).allows(endpoint(server).removeprefix("http://"))


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(commands.server_command(a_server(), CLUSTER), id="server"),
        pytest.param(commands.check_command(a_server(), CLUSTER), id="check"),
        pytest.param(commands.store_check_command(a_server(), CLUSTER), id="store check"),
        pytest.param(commands.migration_command(a_server(), CLUSTER), id="migration"),
        pytest.param(commands.backup_command(a_server(), CLUSTER), id="backup"),
        pytest.param(commands.verify_command(CLUSTER, ARCHIVE), id="verify"),
        pytest.param(commands.restore_command(a_server(), CLUSTER, ARCHIVE), id="restore"),
        pytest.param(_gc_command(a_server(gc={"schedule": "@daily", "olderThan": "1d12h"})), id="gc"),
    ],
)
def test_the_command_line_takes_every_command_in_its_environment(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in _environ(command).items():
        monkeypatch.setenv(name, value)
    executable, *words = command.argv
    assert executable == "trackplane"
    _parse(main, words)


def test_a_word_that_the_command_line_does_not_know_would_be_noticed() -> None:
    with pytest.raises(click.UsageError):
        _parse(main, ["db", "check", "--no-such-option"])


def test_terminal_are_the_exit_codes_that_a_second_try_cannot_change() -> None:
    terminal: tuple[type[CommandFailed], ...] = (
        ConfigInvalid,
        SchemaUnsupported,
        MigrationFailed,
        BackupFailed,
        RestoreFailed,
    )
    assert set(TERMINAL_EXIT_CODES) == {USAGE, *(error.exit_code for error in terminal)}
    assert not {DatabaseUnreachable.exit_code, LockBusy.exit_code} & set(TERMINAL_EXIT_CODES)


def test_reasons_of_reports_are_reasons_of_conditions() -> None:
    errors = (ConfigInvalid, DatabaseUnreachable, LockBusy, MigrationFailed, BackupFailed, RestoreFailed)
    assert {error.__name__ for error in errors} <= {str(reason) for reason in Reason}


def test_the_paths_of_the_probes_are_served() -> None:
    assert {LIVE_PATH, READY_PATH} <= {row.path for row in ROWS}


def test_secrets_are_in_no_command_line() -> None:
    for make in (commands.server_command, commands.check_command, commands.migration_command, commands.backup_command):
        command = make(an_external_server(), CLUSTER)
        assert any(isinstance(variable, EnvFromSecret) for variable in command.env)
        assert SECRET_URI not in " ".join(command.argv)


def _parse(command: click.Command, words: Sequence[str]) -> None:
    """Finds the command that the words name and parses the rest, without running it. Raises `click.UsageError`."""
    while isinstance(command, click.Group) and words:
        inner = command.get_command(click.Context(command), words[0])
        if inner is None:
            break
        command, words = inner, words[1:]
    command.make_context(command.name, list(words))
