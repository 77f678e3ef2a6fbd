"""A real API server and our own `parse` agree: on what is refused, at which field, and on what the defaults are."""

import json
import re
from typing import Final
from urllib.error import HTTPError

import pytest

from tests.support.api_server import ApiServer
from tests.support.resources import BAD, CHANGES_ACCEPTED, CHANGES_REFUSED, good, pairs
from tests.support.servers import a_resource
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.parse import parse
from tracking_operator.resource.schema import complete, resource_schema

STRICT: Final = "fieldValidation=Strict&dryRun=All"


@pytest.mark.parametrize("resource", good())
def test_a_good_resource_is_admitted_with_the_defaults_that_parse_fills_in(
    api_server: ApiServer, namespace: str, resource: Manifest
) -> None:
    admitted = api_server.request("POST", f"{_collection(namespace)}?{STRICT}", _in(namespace, resource))
    assert admitted["spec"] == complete(resource_schema(), resource)["spec"]
    assert parse(admitted).spec == parse(resource).spec


@pytest.mark.parametrize(("resource", "path"), pairs(BAD))
def test_a_bad_resource_is_refused_at_the_field_that_parse_names(
    api_server: ApiServer, namespace: str, resource: Manifest, path: str
) -> None:
    with pytest.raises(HTTPError) as refused:
        api_server.request("POST", f"{_collection(namespace)}?{STRICT}", _in(namespace, resource))
    assert _dotted(path) in _fields_at_fault(_answer(refused.value))


@pytest.mark.parametrize(("before", "after"), pairs(CHANGES_REFUSED))
def test_what_would_lose_data_cannot_be_changed(
    api_server: ApiServer, namespace: str, before: Manifest, after: Manifest
) -> None:
    stored = api_server.request("POST", _collection(namespace), _in(namespace, before))
    with pytest.raises(HTTPError) as refused:
        api_server.replace({**stored, "spec": after["spec"]})
    assert _answer(refused.value)["reason"] == "Invalid"


@pytest.mark.parametrize(("before", "after"), pairs(CHANGES_ACCEPTED))
def test_other_changes_are_admitted(api_server: ApiServer, namespace: str, before: Manifest, after: Manifest) -> None:
    stored = api_server.request("POST", _collection(namespace), _in(namespace, before))
    changed = api_server.replace({**stored, "spec": after["spec"]})
    assert changed["metadata"]["generation"] == 2


def test_the_scale_subresource_reads_and_writes_the_replicas(api_server: ApiServer, namespace: str) -> None:
    api_server.request("POST", _collection(namespace), _in(namespace, a_resource()))
    path = f"{_collection(namespace)}/demo/scale"
    scale = api_server.request("GET", path)
    scale["spec"]["replicas"] = 0
    api_server.request("PUT", path, scale)
    assert api_server.request("GET", f"{_collection(namespace)}/demo")["spec"]["replicas"] == 0


def _collection(namespace: str) -> str:
    return f"/apis/trackplane.io/v1alpha1/namespaces/{namespace}/trackingservers"


def _in(namespace: str, resource: Manifest) -> Manifest:
    return {**resource, "metadata": {"name": resource["metadata"]["name"], "namespace": namespace}}


def _answer(refused: HTTPError) -> Manifest:
    with refused as response:
        answer: Manifest = json.loads(response.read())
        return answer


def _fields_at_fault(status: Manifest) -> set[str]:
    """A rule on the whole object has no field; unknown fields are named in the message only."""
    causes = status.get("details", {}).get("causes", ())
    fields = {_dotted(cause.get("field", "")) for cause in causes}
    fields |= set(re.findall(r'unknown field "([^"]+)"', status["message"]))
    return {"metadata.name" if field == "<nil>" else field for field in fields}


def _dotted(path: str) -> str:
    """`a.b[key]` and `a.b.key` are one place; the API server writes both."""
    return re.sub(r"\[(\D[^]]*)]", r".\1", path)
