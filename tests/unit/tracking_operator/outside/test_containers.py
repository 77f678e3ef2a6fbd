import base64
from collections.abc import Mapping, Sequence

import pytest

from tracking_operator.outside.containers import CannotStart, invocation
from tracking_operator.resource.kinds import Manifest

SECRETS = {"database": {"uri": base64.b64encode(b"postgresql://u:p@h/d").decode()}}


def a_pod(volumes: Sequence[Manifest] = (), **fields: object) -> Manifest:
    """With one container."""
    container: Manifest = {
        "name": "job",
        "image": "server:1",
        "command": ["run"],
        "terminationMessagePath": "/dev/termination-log",
        "volumeMounts": [{"name": "tmp", "mountPath": "/data/tmp"}],
        **fields,
    }
    return {"spec": {"containers": [container], "volumes": volumes}}


def _secret_data(name: str) -> Mapping[str, str] | None:
    return SECRETS.get(name)


def _from_secret(name: str, key: str) -> Manifest:
    return {"name": "URI", "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}


def test_a_process_gets_its_words_its_environment_and_its_folders() -> None:
    env = [{"name": "A", "value": "1"}, _from_secret("database", "uri")]
    call = invocation(a_pod(args=["fast"], env=env), _secret_data, {"PATH": "/bin"}, "/data/report")
    assert call.argv == ("run", "fast")
    assert call.env == {"PATH": "/bin", "A": "1", "URI": "postgresql://u:p@h/d"}
    assert call.folders == ("/data/tmp",)


def test_what_the_shell_would_tell_a_server_is_not_inherited() -> None:
    environ = {"HOME": "/root", "MLFLOW_TRACKING_URI": "http://elsewhere", "TRACKPLANE_LOG_LEVEL": "debug"}
    assert invocation(a_pod(), _secret_data, environ, "/r").env == {"HOME": "/root"}


def test_each_process_has_a_report_of_its_own() -> None:
    env = [{"name": "TRACKPLANE_REPORT_FILE", "value": "/dev/termination-log"}]
    assert invocation(a_pod(env=env), _secret_data, {}, "/r").env == {"TRACKPLANE_REPORT_FILE": "/r"}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param("to $(A)!", "to 1!", id="a variable"),
        pytest.param("$(B)", "$(B)", id="an unknown one"),
        pytest.param("$$(A) $A", "$(A) $A", id="escaped, and not for us"),
    ],
)
def test_variables_in_words_are_filled_in(word: str, expected: str) -> None:
    pod = a_pod(command=["echo", word], env=[{"name": "A", "value": "1"}])
    assert invocation(pod, _secret_data, {}, "/r").argv[1] == expected


@pytest.mark.parametrize(
    ("pod", "reason", "message"),
    [
        pytest.param(
            a_pod(env=[_from_secret("other", "uri")]),
            "CreateContainerConfigError",
            'secret "other" not found',
            id="no Secret",
        ),
        pytest.param(
            a_pod(env=[_from_secret("database", "url")]),
            "CreateContainerConfigError",
            "couldn't find key url in Secret database",
            id="no key",
        ),
        pytest.param(
            a_pod(command=[]),
            "ErrImageNeverPull",
            "server:1 cannot be run without a cluster: give it a command",
            id="no command",
        ),
    ],
)
def test_what_cannot_start_says_why_in_the_words_of_a_kubelet(pod: Manifest, reason: str, message: str) -> None:
    with pytest.raises(CannotStart) as problem:
        invocation(pod, _secret_data, {}, "/r")
    assert (problem.value.reason, str(problem.value)) == (reason, message)


def test_a_secret_that_is_mounted_is_a_file() -> None:
    volume = {"name": "key", "secret": {"secretName": "database", "items": [{"key": "uri", "path": "key.json"}]}}
    pod = a_pod([volume], volumeMounts=[{"name": "key", "mountPath": "/data/secrets/key", "readOnly": True}])
    assert invocation(pod, _secret_data, {}, "/r").files == {"/data/secrets/key/key.json": b"postgresql://u:p@h/d"}


def test_a_file_whose_secret_has_no_such_key_cannot_be_mounted() -> None:
    volume = {"name": "key", "secret": {"secretName": "database", "items": [{"key": "json", "path": "key.json"}]}}
    with pytest.raises(CannotStart, match="couldn't find key json in Secret database"):
        invocation(a_pod([volume], volumeMounts=[{"name": "key", "mountPath": "/s"}]), _secret_data, {}, "/r")
