"""`db copy` between two servers that let nobody in without TLS and a password: each side is told its own."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.databases import opened
from tests.support.guarded_databases import guarded_mariadb, guarded_postgresql
from tracking_server.commands.db import db
from tracking_server.database.access import DatabaseAccess
from tracking_server.database.migrations.upgrade import create_schema
from tracking_server.database.transactions import DatabaseOptions

FIRST, SECOND = "f1rst-s3cret", "s3cond-s3cret"


def copy(folder: Path, options: Mapping[str, str], environ: Mapping[str, str] | None = None) -> Result:
    words = [f"--{name}={value}" for name, value in options.items()]
    return CliRunner().invoke(db, ["copy", f"--report-file={folder / 'report'}", *words], env=environ)


def written(file: Path, text: str) -> str:
    file.write_text(f"{text}\n")
    return str(file)


def test_each_side_has_its_own_password_and_certificates(tmp_path: Path) -> None:
    first, second = written(tmp_path / "first", FIRST), written(tmp_path / "second", SECOND)
    with guarded_mariadb() as source, guarded_postgresql() as target:
        source.set_password(FIRST)
        target.set_password(SECOND)
        access = DatabaseAccess(database_password_file=Path(first))
        with opened(source.url(), DatabaseOptions(access=access)) as database:
            create_schema(database)
        options = {
            "source-uri-file": written(tmp_path / "uri", source.url(tls="")),
            "source-password-file": first,
            "source-mysql-ssl-ca": str(source.authority),
        }
        environ = {"TRACKPLANE_COPY_TARGET": target.url(), "TRACKPLANE_COPY_TARGET_TOKEN_COMMAND": f"cat '{second}'"}
        refused = copy(tmp_path, {**options, "target-token-command": f"cat '{first}'"}, environ)
        assert json.loads((tmp_path / "report").read_text())["reason"] == "DatabaseUnreachable"
        done = copy(tmp_path, options, environ)
        told = json.loads((tmp_path / "report").read_text())
    assert done.exit_code == 0, done.output
    assert told["dialect"] == {"from": "mysql", "to": "postgresql"}
    for said in (refused.output, done.output, json.dumps(told)):
        assert FIRST not in said
        assert SECOND not in said


SOURCE, TARGET = "sqlite:///source.db", "sqlite:///target.db"
SERVER = "postgresql://me@nowhere.invalid/x"


@pytest.mark.parametrize(
    ("options", "environ", "said"),
    [
        pytest.param(
            {"source-password-file": "/p"},
            {"SOURCE": SOURCE},
            "--source-password-file cannot be used with sqlite",
            id="sqlite",
        ),
        pytest.param(
            {"source-password-file": "/p"},
            {"SOURCE": SERVER, "SOURCE_TOKEN_COMMAND": "cat /p"},
            "is given by --source-password-file and by --source-token-command: leave one",
            id="two passwords",
        ),
        pytest.param({"source-token-command": "cat 'x"}, {"SOURCE": SERVER}, "--source-token-command", id="no command"),
        pytest.param({"source-mysql-ssl-ca": "/ca"}, {"SOURCE": SERVER}, "?sslmode=verify-full", id="another engine"),
        pytest.param(
            {}, {"SOURCE": SERVER, "SOURCE_URI_FILE": "/uri"}, "SOURCE is given twice", id="two URLs at one place"
        ),
        pytest.param(
            {"source-uri-file": "/none"}, {"SOURCE": SERVER}, "The file /none with the URL", id="an option wins"
        ),
    ],
)
def test_what_is_told_wrongly_is_named_as_it_was_told(
    options: Mapping[str, str], environ: Mapping[str, str], said: str, tmp_path: Path
) -> None:
    variables = {f"TRACKPLANE_COPY_{name}": value for name, value in {"TARGET": TARGET, **environ}.items()}
    done = copy(tmp_path, options, variables)
    told = json.loads((tmp_path / "report").read_text())
    assert (done.exit_code != 0, told["reason"]) == (True, "ConfigInvalid")
    assert said in told["message"]
