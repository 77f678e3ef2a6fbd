from tests.support.servers import a_server
from tracking_operator.desired.allowed_hosts import allowed_hosts


def test_the_names_of_the_service_are_allowed_with_and_without_its_port() -> None:
    hosts = allowed_hosts(a_server(networking={"service": {"port": 8080}}))
    assert hosts[:8] == (
        "demo",
        "demo:8080",
        "demo.ml",
        "demo.ml:8080",
        "demo.ml.svc",
        "demo.ml.svc:8080",
        "demo.ml.svc.cluster.local",
        "demo.ml.svc.cluster.local:8080",
    )


def test_a_forwarded_port_is_allowed_under_any_number() -> None:
    assert {"localhost", "localhost:*", "127.0.0.1:*", "[::1]:*"} <= set(allowed_hosts(a_server()))


def test_what_the_user_adds_comes_last_and_once() -> None:
    hosts = allowed_hosts(a_server(server={"allowedHosts": ["mlflow.example.com", "demo"]}))
    assert hosts[-1] == "mlflow.example.com"
    assert hosts.count("demo") == 1
