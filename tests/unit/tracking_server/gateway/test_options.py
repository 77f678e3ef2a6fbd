import pytest

from tracking_server.errors import ConfigInvalid
from tracking_server.gateway.options import GatewayOptions

BAD = {
    "MLFLOW_TRACKING_INSECURE_TLS": "perhaps",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "0",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "11",
    "MLFLOW_TRACKING_TOKEN": "hunter2\nX-Header: 1",
}


def test_the_defaults() -> None:
    assert GatewayOptions.from_environ({}) == GatewayOptions()
    assert (GatewayOptions().timeout_seconds, GatewayOptions().max_retries) == (120, 2)


def test_all_faults_are_told_at_once_without_a_secret() -> None:
    with pytest.raises(ConfigInvalid) as refused:
        GatewayOptions.from_environ(BAD)
    assert {fault.partition(" ")[0] for fault in refused.value.message.splitlines()} == BAD.keys()
    assert "hunter2" not in refused.value.message


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MLFLOW_TRACKING_PASSWORD", "TRACKPLANE_TRACKING_PASSWORD_FILE"),
        ("MLFLOW_TRACKING_TOKEN", "TRACKPLANE_TRACKING_TOKEN_FILE"),
    ],
)
def test_a_secret_that_is_given_twice_is_refused(one: str, other: str) -> None:
    with pytest.raises(ConfigInvalid, match=f"{one} and {other} are both set"):
        GatewayOptions.from_environ({one: "a", other: "b"})


def test_authorities_for_a_server_that_is_not_checked_are_refused() -> None:
    with pytest.raises(ConfigInvalid, match="MLFLOW_TRACKING_INSECURE_TLS and MLFLOW_TRACKING_SERVER_CERT_PATH"):
        GatewayOptions.from_environ({"MLFLOW_TRACKING_INSECURE_TLS": "true", "MLFLOW_TRACKING_SERVER_CERT_PATH": "ca"})


def test_secrets_are_not_shown() -> None:
    environ = {"MLFLOW_TRACKING_PASSWORD": "hunter2", "MLFLOW_TRACKING_TOKEN": "hunter2", "DATABRICKS_TOKEN": "hunter2"}
    assert "hunter2" not in repr(GatewayOptions.from_environ(environ))
