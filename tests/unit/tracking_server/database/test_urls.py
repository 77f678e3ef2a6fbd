from pathlib import Path

import pytest

from tracking_server.database.urls import mask, parse_database_url
from tracking_server.errors import ConfigInvalid


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql+psycopg2://u:p@h:5433/d?sslmode=require", "postgresql+psycopg://u:p@h:5433/d?sslmode=require"),
        ("postgresql://u@/d?host=/run/postgresql", "postgresql+psycopg://u@/d?host=%2Frun%2Fpostgresql"),
        ("mysql://u:p@h/d", "mysql+pymysql://u:p@h/d"),
        ("mariadb://u:p@h/d", "mysql+pymysql://u:p@h/d"),
        ("mysql+pymysql://u:p%40x@h/d", "mysql+pymysql://u:p%40x@h/d"),
        ("mssql://u:p@h/d?driver=x", "mssql+pyodbc://u:p@h/d?driver=x"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
        ("sqlite+pysqlite:////var/lib/x.db", "sqlite:////var/lib/x.db"),
    ],
)
def test_a_url_names_the_driver_that_we_ship(text: str, expected: str) -> None:
    assert parse_database_url(text).url.render_as_string(hide_password=False) == expected


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sqlite:///mlflow.db", Path("mlflow.db")),
        ("sqlite:////var/lib/x.db", Path("/var/lib/x.db")),
        ("sqlite:///folder with space/ü.db", Path("folder with space/ü.db")),
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
    ],
)
def test_the_path_of_sqlite(text: str, path: Path | None) -> None:
    assert parse_database_url(text).path == path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("mlflow.db", "no scheme", id="a path"),
        pytest.param("", "no scheme", id="nothing"),
        pytest.param("oracle://u:s3cret@h/d", "oracle:// is not a database", id="an engine that we do not know"),
        pytest.param("https://u:s3cret@h:5/p", "^https://h:5 is another tracking server", id="a tracking server"),
        pytest.param("databricks", "^databricks:// is another tracking server", id="Databricks"),
        pytest.param("databricks://dev", "^databricks://dev is another", id="a profile of Databricks"),
        pytest.param("mysql+mysqldb://u:s3cret@h/d", r"write mysql\+pymysql://", id="a driver that we do not ship"),
        pytest.param("postgresql://u:s3cret@h:port/d", "cannot be read", id="a port that is no number"),
        pytest.param("sqlite://mlflow.db", "names a host", id="two slashes for a path"),
        pytest.param("sqlite:///file:x.db?uri=true", "plain path", id="a file URI"),
        pytest.param("sqlite:///x.db?timeout=3", "plain path", id="options"),
    ],
)
def test_a_url_that_cannot_work_is_refused_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(ConfigInvalid, match=said) as caught:
        parse_database_url(text)
    assert "s3cret" not in caught.value.message


def test_no_password_is_shown() -> None:
    url = parse_database_url("postgresql://me:s3cret@host/d?password=s3cret&sslmode=require")
    assert url.masked == "postgresql+psycopg://me:***@host/d?password=***&sslmode=require"
    assert "s3cret" not in repr(url.url.set(query={}))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("cannot reach mysql://root:s3cret@h/d now", "cannot reach mysql://root:***@h/d now"),
        ("s3://bucket/path and user@host", "s3://bucket/path and user@host"),
        ("postgresql://u:a:b/c@d@h/d", "postgresql://u:***@h/d"),
        ("host=h password=s3cret dbname=d", "host=h password=*** dbname=d"),
        ("driver={ODBC};PWD=s3cret;UID=me", "driver={ODBC};PWD=***;UID=me"),
        ("password='s3 cret' user=x", "password=*** user=x"),
    ],
)
def test_text_of_others_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked
