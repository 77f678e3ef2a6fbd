"""TLS, and passwords that are kept outside of the URL, against servers that let nobody in without them."""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.support.certificates import write_key_and_certificate
from tests.support.databases import opened
from tests.support.guarded_databases import CERTIFIED, Guarded, guarded_mariadb, guarded_postgresql
from tests.support.http import call
from tests.support.server import live_server
from tracking_server.database.access import DatabaseAccess
from tracking_server.database.failures import explain
from tracking_server.database.passwords import PasswordUnavailable, TokenCommand
from tracking_server.database.transactions import Database, DatabaseOptions
from tracking_server.errors import TemporarilyUnavailable

FIRST, SECOND = "f1rst-s3cret", "s3cond-s3cret"


@pytest.fixture(scope="module", params=[guarded_postgresql, guarded_mariadb], ids=["postgresql", "mariadb"])
def guarded(request: pytest.FixtureRequest) -> Iterator[Guarded]:
    with request.param() as server:
        server.set_password(FIRST)
        yield server


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{FIRST}\n")
    return file


def answers(database: Database) -> bool:
    with database.read() as connection:
        return bool(connection.scalar(text("SELECT 1")) == 1)


def refusal(database: Database) -> str:
    """What the administrator is told."""
    with pytest.raises(TemporarilyUnavailable) as caught:
        answers(database)
    return explain(caught.value)


def with_file(file: Path) -> DatabaseOptions:
    return DatabaseOptions(access=DatabaseAccess(database_password_file=file))


def with_command(*words: str) -> DatabaseOptions:
    return DatabaseOptions(access=DatabaseAccess(database_token_command=words))


def counted(file: Path) -> tuple[str, ...]:
    """A token command that prints the file, and leaves a dot in another for each time."""
    program = "import sys; open(sys.argv[2], 'a').write('.'); print(open(sys.argv[1]).read())"
    return (sys.executable, "-c", program, str(file), f"{file}.count")


def test_a_file_with_the_password_is_read_for_each_connection(guarded: Guarded, password_file: Path) -> None:
    with opened(guarded.url(), with_file(password_file)) as database:
        assert answers(database)
        guarded.set_password(SECOND)
        try:
            password_file.write_text(SECOND)
            with database.read(), database.read() as another:  # of which one is new
                assert another.scalar(text("SELECT 1")) == 1
        finally:
            guarded.set_password(FIRST)
        assert SECOND not in refusal_of_new(database)


def refusal_of_new(database: Database) -> str:
    database.dispose()
    return refusal(database)


def test_a_file_that_is_not_there_is_named_to_the_administrator_alone(guarded: Guarded, tmp_path: Path) -> None:
    with opened(guarded.url(), with_file(tmp_path / "none")) as database:
        assert "none cannot be read: No such file" in refusal(database)
        with pytest.raises(TemporarilyUnavailable) as caught:
            answers(database)
        assert str(tmp_path) not in caught.value.message


def test_a_token_serves_several_connections_and_the_command_runs_once(guarded: Guarded, password_file: Path) -> None:
    with opened(guarded.url(), with_command(*counted(password_file))) as database:
        with database.read() as connection, database.read() as another:
            assert (connection.scalar(text("SELECT 1")), another.scalar(text("SELECT 1"))) == (1, 1)
        assert Path(f"{password_file}.count").read_text() == "."


@pytest.mark.parametrize(
    ("program", "said"),
    [
        pytest.param("print('one'); print('two')", "did not print one line", id="two lines"),
        pytest.param("pass", "did not print one line", id="nothing"),
        pytest.param("import sys; sys.exit('t0ken')", "ended with 1", id="a failure"),
    ],
)
def test_a_token_command_that_does_not_work_is_told_without_what_it_printed(program: str, said: str) -> None:
    with pytest.raises(PasswordUnavailable, match=said) as caught:
        TokenCommand((sys.executable, "-c", program), good_seconds=0).password()
    assert "t0ken" not in str(caught.value)


def test_a_token_command_has_a_limited_time_and_must_be_there() -> None:
    slow = (sys.executable, "-c", "import time; time.sleep(600)")
    with pytest.raises(PasswordUnavailable, match=r"more than 0\.2 seconds"):
        TokenCommand(slow, good_seconds=0, timeout_seconds=0.2).password()
    with pytest.raises(PasswordUnavailable, match="no-such-command cannot be run: No such file"):
        TokenCommand(("no-such-command",), good_seconds=0).password()


def test_when_a_token_is_asked_for_again(password_file: Path) -> None:
    now = [100.0]
    tokens = TokenCommand(counted(password_file), good_seconds=300, clock=lambda: now[0])
    assert tokens.password() == FIRST
    password_file.write_text(SECOND)
    now[0] += 299
    assert tokens.password() == FIRST
    assert tokens.another(refused=FIRST) == SECOND  # it had expired before its time
    assert tokens.another(refused=FIRST) == SECOND  # as another thread has found out
    assert tokens.another(refused=SECOND) is None  # too new to be the reason
    now[0] += 300
    assert tokens.password() == SECOND
    assert Path(f"{password_file}.count").read_text() == "..."


def test_a_server_that_cannot_be_trusted_is_not_used(guarded: Guarded, password_file: Path, tmp_path: Path) -> None:
    other = write_key_and_certificate(tmp_path / "other.pem", hosts=["localhost"])
    url = guarded.url().replace(str(guarded.authority), str(other))
    with opened(url, with_file(password_file)) as database:
        assert "certificate verify failed" in refusal(database).lower()


@pytest.mark.parametrize("guarded", [guarded_postgresql], indirect=True, ids=["postgresql"])
def test_postgresql_admits_nobody_without_tls(guarded: Guarded, password_file: Path) -> None:
    with opened(guarded.url(tls="sslmode=disable"), with_file(password_file)) as database:
        assert "no encryption" in refusal(database)


@pytest.mark.parametrize("guarded", [guarded_mariadb], indirect=True, ids=["mariadb"])
class TestMySqlVariables:
    def test_the_authority_is_trusted(self, guarded: Guarded, password_file: Path) -> None:
        access = DatabaseAccess(database_password_file=password_file, mysql_ssl_ca=str(guarded.authority))
        with (
            opened(guarded.url(tls=""), DatabaseOptions(access=access)) as database,
            database.read() as connection,
        ):
            assert connection.execute(text("SHOW STATUS LIKE 'Ssl_cipher'")).one()[1]

    def test_another_authority_is_not(self, guarded: Guarded, password_file: Path, tmp_path: Path) -> None:
        other = write_key_and_certificate(tmp_path / "other.pem", hosts=["localhost"])
        access = DatabaseAccess(database_password_file=password_file, mysql_ssl_ca=str(other))
        with opened(guarded.url(tls=""), DatabaseOptions(access=access)) as database:
            assert "certificate verify failed" in refusal(database).lower()

    def test_a_certificate_lets_in(self, guarded: Guarded) -> None:
        file = str(guarded.authority)
        access = DatabaseAccess(mysql_ssl_ca=file, mysql_ssl_cert=file, mysql_ssl_key=file)
        with opened(guarded.url(user=CERTIFIED, tls=""), DatabaseOptions(access=access)) as database:
            assert answers(database)
        without = DatabaseOptions(access=DatabaseAccess(mysql_ssl_ca=file))
        with opened(guarded.url(user=CERTIFIED, tls=""), without) as database:
            assert "Access denied" in refusal(database)


def test_a_server_takes_url_and_token_from_files_and_shows_neither(
    guarded: Guarded, password_file: Path, tmp_path: Path
) -> None:
    uri_file = tmp_path / "uri"
    uri_file.write_text(f"{guarded.url()}\n")
    environ = {
        "TRACKPLANE_DATABASE_TOKEN_COMMAND": shlex.join(counted(password_file)),
        "MLFLOW_LOGGING_LEVEL": "DEBUG",
        "MLFLOW_SQLALCHEMYSTORE_ECHO": "true",
    }
    with live_server(tmp_path, "--database-uri-file", str(uri_file), environ=environ) as server:
        assert call(server.url, "GET", "/readyz").status == 200
        process = Path(f"/proc/{server.process.pid}")
        seen = (process / "cmdline").read_bytes() + (process / "environ").read_bytes() + server.log.read_bytes()
    assert FIRST.encode() not in seen
