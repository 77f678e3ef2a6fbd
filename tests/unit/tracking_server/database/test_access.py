from pathlib import Path

import pytest

from tracking_server.database.access import DatabaseAccess, access_from_environ
from tracking_server.database.sessions import DatabaseOptions, engine_url
from tracking_server.database.transactions import open_database
from tracking_server.database.urls import parse_database_url
from tracking_server.errors import ConfigInvalid

FILE = DatabaseAccess(database_password_file=Path("password"))
COMMAND = DatabaseAccess(database_token_command=("token",))
BOTH = DatabaseAccess(database_password_file=Path("password"), database_token_command=("token",))


def test_what_the_environment_tells() -> None:
    assert access_from_environ({}) == DatabaseAccess()
    assert access_from_environ(
        {
            "TRACKPLANE_DATABASE_TOKEN_COMMAND": "aws rds token --user 'a b'",
            "TRACKPLANE_DATABASE_TOKEN_SECONDS": "0",
            "MLFLOW_MYSQL_SSL_CA": "ca.pem",
            "MLFLOW_PORT": "not looked at",
        }
    ) == DatabaseAccess(
        database_token_command=("aws", "rds", "token", "--user", "a b"), database_token_seconds=0, mysql_ssl_ca="ca.pem"
    )
    with pytest.raises(ConfigInvalid, match="TRACKPLANE_DATABASE_TOKEN_COMMAND must be a command"):
        access_from_environ({"TRACKPLANE_DATABASE_TOKEN_COMMAND": "an 'open quote"})


@pytest.mark.parametrize(
    ("url", "access", "said"),
    [
        pytest.param("postgresql://u:s3cret@h/d", FILE, "by the URL and by TRACKPLANE_DATABASE_PASSWORD_FILE"),
        pytest.param("mysql://u:s3cret@h/d", COMMAND, "by the URL and by TRACKPLANE_DATABASE_TOKEN_COMMAND"),
        pytest.param("postgresql://u@h/d?password=s3cret", COMMAND, "by the URL and by"),
        pytest.param("postgresql://u@h/d", BOTH, "PASSWORD_FILE and by TRACKPLANE_DATABASE_TOKEN_COMMAND"),
        pytest.param("sqlite:///x.db", FILE, "only PostgreSQL, MySQL and MariaDB"),
        pytest.param("sqlite://", COMMAND, "only PostgreSQL, MySQL and MariaDB"),
    ],
)
def test_a_password_in_two_places_is_refused(url: str, access: DatabaseAccess, said: str) -> None:
    with pytest.raises(ConfigInvalid, match=said) as caught:
        open_database(url, DatabaseOptions(access=access))
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize(
    ("url", "query"),
    [
        pytest.param("mysql://u@h/d", {"ssl_ca": "ca", "ssl_key": "key", "ssl_check_hostname": "false"}, id="plain"),
        pytest.param(
            "mysql://u@h/d?ssl_ca=theirs&ssl_check_hostname=true",
            {"ssl_ca": "theirs", "ssl_key": "key", "ssl_check_hostname": "true"},
            id="the URL wins",
        ),
        pytest.param("postgresql://u@h/d", {}, id="not MySQL"),
    ],
)
def test_the_certificates_of_mysql(url: str, query: dict[str, str]) -> None:
    options = DatabaseOptions(access=DatabaseAccess(mysql_ssl_ca="ca", mysql_ssl_key="key"))
    assert engine_url(parse_database_url(url), options).query == query
