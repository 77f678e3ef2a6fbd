"""A real API server takes every manifest that the operator renders, with no field it does not know."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.support.api_server import ApiServer, kind_of
from tests.support.resources import GOOD
from tracking_operator.decisions.drift import differences
from tracking_operator.desired.backup_job import backup_job
from tracking_operator.desired.bundle import children
from tracking_operator.desired.check_job import check_job
from tracking_operator.desired.hook_job import hook_job
from tracking_operator.desired.migration_job import migration_job
from tracking_operator.desired.places import CLUSTER
from tracking_operator.desired.restore_job import restore_job
from tracking_operator.desired.verify_job import verify_job
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.parse import parse
from tracking_operator.resource.spec import TrackingServer

STRICT: Final = "fieldValidation=Strict&dryRun=All"
ARCHIVE: Final = f"{CLUSTER.backups}/one"


def _manifests(server: TrackingServer) -> Iterator[Manifest]:
    job: dict[str, Any] = {"job_hash": "0123456789", "places": CLUSTER, "node": "node-1"}
    ours: dict[str, Any] = {**job, "image": "server:1"}
    yield from children(server, image="server:1", references="abc", places=CLUSTER)
    yield check_job(server, **ours)
    yield backup_job(server, **ours)
    yield verify_job(server, archive=ARCHIVE, **ours)
    yield migration_job(server, **ours)
    yield restore_job(server, archive=ARCHIVE, **ours)
    for index in range(len(server.spec.upgrade.hooks.pre_migration)):
        yield hook_job(server, index=index, **job)


def _cases() -> list[Any]:
    return [
        pytest.param(manifest, id=f"{name}: {manifest['kind']} {manifest['metadata']['name']}")
        for name in ("the smallest", "an external database", "upgrade", "collection", "a node port", "placement")
        for manifest in _manifests(parse(GOOD[name]))
    ]


@pytest.mark.parametrize("manifest", _cases())
def test_a_manifest_is_admitted_and_nothing_of_it_is_changed(
    api_server: ApiServer, namespace: str, manifest: Manifest
) -> None:
    """What the API server changed would be drift for ever."""
    wanted = {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}
    kind = kind_of(manifest)
    root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
    admitted = api_server.request("POST", f"{root}/namespaces/{namespace}/{kind.plural}?{STRICT}", wanted)
    assert differences(wanted, admitted) == ()
