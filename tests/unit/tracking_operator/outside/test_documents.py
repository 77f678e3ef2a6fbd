import base64

import pytest
import yaml

from tests.support.servers import a_resource
from tracking_operator.errors import SpecInvalid
from tracking_operator.outside.documents import read_documents

SECRET = "{apiVersion: v1, kind: Secret, metadata: {name: database}"


def _faults(text: str) -> list[str]:
    with pytest.raises(SpecInvalid) as refused:
        read_documents(text)
    return [str(fault) for fault in refused.value.faults]


def test_servers_and_secrets_are_found_among_other_kinds() -> None:
    text = "---\n".join(
        (
            "# nothing but a remark\n",
            yaml.safe_dump(a_resource()),
            f"{SECRET}, stringData: {{uri: 'sqlite://'}}}}\n",
            "{apiVersion: v1, kind: Namespace, metadata: {name: ml}}\n",
        )
    )
    documents = read_documents(text)
    assert [written.server.metadata.name for written in documents.servers] == ["demo"]
    (secret,) = documents.secrets
    assert secret["metadata"] == {"namespace": "default", "name": "database"}
    assert base64.b64decode(secret["data"]["uri"]) == b"sqlite://"


def test_text_in_a_secret_wins_over_data() -> None:
    (secret,) = read_documents(f"{SECRET}, data: {{uri: b2xk, other: YQ==}}, stringData: {{uri: new}}}}").secrets
    assert {key: base64.b64decode(value) for key, value in secret["data"].items()} == {"uri": b"new", "other": b"a"}


def test_a_namespace_is_kept() -> None:
    (written,) = read_documents(yaml.safe_dump(a_resource(namespace="vision"))).servers
    assert (written.server.metadata.namespace, written.resource["metadata"]["namespace"]) == ("vision", "vision")


def test_the_faults_of_all_documents_are_named_with_their_place() -> None:
    resources = (a_resource(image=""), a_resource(suspend="no", gc={"schedule": "0 0 0 1 1"}))
    text = "---\n".join(yaml.safe_dump(resource) for resource in resources)
    assert _faults(text) == [
        "document 1: spec.image: must have 1 to 512 characters, not 0",
        "document 2: spec.suspend: must be true or false, not 'no'",
        "document 2: spec.gc.schedule: '0' is not a day of the month from 1 to 31",
    ]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        pytest.param("a: b: c", ["YAML: mapping values are not allowed here"], id="no YAML"),
        pytest.param("- a", ["kind: a Kubernetes object is a map"], id="a list"),
        pytest.param(
            "{kind: TrackingServer, apiVersion: trackplane.io/v1alpha1}", ["metadata.name: is required"], id="no name"
        ),
        pytest.param("{apiVersion: v1, kind: Secret}", ["metadata.name: is required"], id="a Secret without a name"),
        pytest.param(f"{SECRET}, data: {{a: '!'}}}}", ["data.a: must be in base64"], id="no base64"),
        pytest.param(f"{SECRET}, data: [a]}}", ["data: must be a map"], id="a list for a map"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, faults: list[str]) -> None:
    found = _faults(text)
    assert len(found) == len(faults)
    assert all(one.startswith(expected) for one, expected in zip(found, faults, strict=True))
