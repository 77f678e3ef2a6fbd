"""A file as people write it: YAML with TrackingServers and the Secrets they use, and perhaps more that is not ours."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import yaml

from tracking_operator.errors import Fault, SpecInvalid
from tracking_operator.resource import names
from tracking_operator.resource.kinds import SECRET, Manifest
from tracking_operator.resource.parse import parse
from tracking_operator.resource.spec import TrackingServer

DEFAULT_NAMESPACE: Final = "default"


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """A TrackingServer as it was written, and as it was understood."""

    resource: Manifest
    server: TrackingServer


@dataclass(frozen=True, kw_only=True, slots=True)
class Documents:
    servers: tuple[Written, ...]
    secrets: tuple[Manifest, ...]
    """With `data` in base64, as an API server would store them."""


def read_documents(text: str, *, namespace: str = DEFAULT_NAMESPACE) -> Documents:
    """`namespace` is for objects that name none. Raises `SpecInvalid` with every fault of every document.

    Kinds that are not ours are passed over.
    """
    servers: list[Written] = []
    secrets: list[Manifest] = []
    faults: list[Fault] = []
    for place, document in _documents(text):
        try:
            if document.get("kind") == names.KIND:
                resource = _in_a_namespace(document, namespace)
                servers.append(Written(resource=resource, server=parse(resource)))
            elif (document.get("apiVersion"), document.get("kind")) == (SECRET.api_version, SECRET.kind):
                secrets.append(_secret(_in_a_namespace(document, namespace)))
        except SpecInvalid as invalid:
            faults.extend(Fault(path=f"{place}{fault.path}", message=fault.message) for fault in invalid.faults)
    if faults:
        raise SpecInvalid(tuple(faults))
    return Documents(servers=tuple(servers), secrets=tuple(secrets))


def _documents(text: str) -> Iterator[tuple[str, Manifest]]:
    """Each with the words that a fault in it begins with: none when there is only one document."""
    try:
        found = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.YAMLError as error:
        raise SpecInvalid((Fault(path="YAML", message=" ".join(str(error).split())),)) from error
    for number, document in enumerate(found, 1):
        place = f"document {number}: " if len(found) > 1 else ""
        if not isinstance(document, dict):
            raise SpecInvalid((Fault(path=f"{place}kind", message="a Kubernetes object is a map"),))
        yield place, cast("Manifest", document)


def _in_a_namespace(document: Manifest, namespace: str) -> Manifest:
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        return document
    return {**document, "metadata": {"namespace": namespace, **cast("Manifest", metadata)}}


def _secret(document: Manifest) -> Manifest:
    metadata = document.get("metadata")
    name = cast("Manifest", metadata).get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str):
        raise SpecInvalid((Fault(path="metadata.name", message="is required"),))
    data = {key: str(value) for key, value in _map_of(document, "data").items()}
    for key, value in data.items():
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error:
            raise SpecInvalid((Fault(path=f"data.{key}", message="must be in base64"),)) from None
    for key, value in _map_of(document, "stringData").items():
        data[key] = base64.b64encode(str(value).encode()).decode()
    return {
        "apiVersion": SECRET.api_version,
        "kind": SECRET.kind,
        "metadata": document["metadata"],
        "data": data,
    }


def _map_of(document: Manifest, field: str) -> Mapping[str, Any]:
    value: object = document.get(field) or {}
    if not isinstance(value, dict):
        raise SpecInvalid((Fault(path=field, message="must be a map"),))
    return cast("Mapping[str, Any]", value)
