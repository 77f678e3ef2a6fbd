import pytest

from tracking_server.errors import ConfigInvalid
from tracking_server.gateway.addresses import Address, Databricks, Server, parse_address, parse_backend
from tracking_server.settings import Secret, is_tracking_server


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://mlflow", "http://mlflow"),
        ("http://mlflow:80/", "http://mlflow"),
        ("HTTPS://MLflow.example.com", "https://mlflow.example.com"),
        ("http://127.0.0.1:5000/a/b/", "http://127.0.0.1:5000/a/b"),
        ("http://[::1]:5000", "http://[::1]:5000"),
        ("https://user:p%40ss@host:444", "https://host:444"),
    ],
)
def test_the_address_of_a_server(uri: str, shown: str) -> None:
    assert is_tracking_server(uri)
    backend = parse_backend(uri)
    assert isinstance(backend, Server)
    assert backend.address.shown == shown


def test_a_login_in_the_uri_is_decoded_and_hidden() -> None:
    backend = parse_backend("https://us%3Aer:p%40ss@host")
    assert backend == Server(
        address=Address(scheme="https", host="host", port=443), user="us:er", password=Secret("p@ss")
    )
    assert "p@ss" not in repr(backend)


@pytest.mark.parametrize(
    ("uri", "profile"),
    [
        ("databricks", ""),
        ("databricks://", ""),
        ("Databricks://dev", "dev"),
        ("databricks://my-profile/", "my-profile"),
    ],
)
def test_a_profile_of_databricks(uri: str, profile: str) -> None:
    assert is_tracking_server(uri)
    assert parse_backend(uri) == Databricks(profile=profile)


@pytest.mark.parametrize(
    "uri",
    [
        "http://",
        "http:///path",
        "http://user:hunter2@",
        "http://user:hunter2@host:port",
        "http://user:hunter2@host/?query=1",
        "http://user:hunter2@host/#part",
        "http://user:hunter2@host/a/../b",
        "http://user:hunter2@host/a%2fb",
        "http://user:hunter2@ho st",
        "http://user:hunter2@[::1",
        "databricks://scope:prefix",
        "databricks:profile",
        "databricks://a/b",
    ],
)
def test_what_is_no_address_is_refused_and_shows_no_password(uri: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        parse_backend(uri)
    assert "hunter2" not in refused.value.message


@pytest.mark.parametrize(
    "uri", ["sqlite:///mlflow.db", "postgresql://u:p@host/db", "./mlruns", "databricks.db", "/http"]
)
def test_a_database_is_no_tracking_server(uri: str) -> None:
    assert not is_tracking_server(uri)


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("adb-1.2.azuredatabricks.net", "https://adb-1.2.azuredatabricks.net"),
        ("https://dbc-1.cloud.databricks.com/", "https://dbc-1.cloud.databricks.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_the_host_of_a_workspace(host: str, shown: str) -> None:
    assert parse_address(host).shown == shown


def test_the_host_of_a_workspace_has_no_login() -> None:
    with pytest.raises(ConfigInvalid, match="no user name") as refused:
        parse_address("https://token:hunter2@host")
    assert "hunter2" not in refused.value.message
