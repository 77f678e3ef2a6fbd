import pytest

from tracking_server.errors import ConfigInvalid
from tracking_server.serving import gunicorn_settings
from tracking_server.settings import Settings


def settings_for(**environ: str) -> dict[str, object]:
    return gunicorn_settings(Settings.from_environ(environ), worker_tmp_dir="/shared-memory")


def test_what_gunicorn_is_told() -> None:
    told = settings_for(MLFLOW_HOST="0.0.0.0", MLFLOW_PORT="8080", MLFLOW_WORKERS="3")
    assert (told["bind"], told["workers"], told["preload_app"]) == ("0.0.0.0:8080", 3, True)
    assert (told["control_socket_disable"], told["worker_tmp_dir"]) == (True, "/shared-memory")


def test_an_ipv6_address_is_bracketed() -> None:
    assert settings_for(MLFLOW_HOST="::1")["bind"] == "[::1]:5000"


def test_the_grace_fits_into_that_of_kubernetes() -> None:
    grace = settings_for()["graceful_timeout"]
    assert isinstance(grace, int)
    assert grace < 30


def test_users_may_set_what_is_not_ours() -> None:
    told = settings_for(MLFLOW_GUNICORN_OPTS="--timeout 120 --keep-alive 5 --max-requests=1000")
    assert (told["timeout"], told["keepalive"], told["max_requests"]) == (120, 5, 1000)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ("--nonsense", "unrecognized arguments: --nonsense"),
        ("--timeout soon", "--timeout"),
        ("--workers 9", "workers cannot be set here"),
        ("-k gthread", "worker_class cannot be set here"),
        ("-b 0.0.0.0:1", "bind cannot be set here"),
        ("module:app", "args cannot be set here"),
        ("'open", "No closing quotation"),
    ],
)
def test_what_it_would_not_understand_is_refused(options: str, part: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        settings_for(MLFLOW_GUNICORN_OPTS=options)
    assert caught.value.message.startswith("--gunicorn-opts: ")
    assert part in caught.value.message
    assert capsys.readouterr() == ("", "")
