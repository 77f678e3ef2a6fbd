"""The status that the operator writes is the one that the definition knows: nothing of it is pruned or refused."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.support.clusters import SERVER, World
from tests.support.servers import EXTERNAL
from tracking_operator.resource.kinds import Manifest, Ref
from tracking_operator.resource.schema import Schema, breaches, resource_schema

HOOKS: Final[dict[str, Any]] = {"preMigration": [{"name": "notify", "image": "hook:1"}]}
SCHEMA: Final[Schema] = resource_schema()["properties"]["status"]


def _upgrade(world: World) -> None:
    world.submit(image="server:1", upgrade={"hooks": HOOKS, "onFailure": "RestoreBackup"}, gc={"schedule": "@daily"})
    world.run(30)
    world.edit(image="server:2")
    world.run(60)


def _failed_upgrade(world: World) -> None:
    world.endings["migrate"] = "halfway"
    _upgrade(world)


def _missing_secret(world: World) -> None:
    world.submit(database=EXTERNAL)
    world.run(30)


def _invalid_spec(world: World) -> None:
    world.submit(image="server:1")
    world.run(30)
    world.edit(replicas=3)
    world.run(5)


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(_upgrade, id="an upgrade"),
        pytest.param(_failed_upgrade, id="an upgrade that failed"),
        pytest.param(_missing_secret, id="a missing Secret"),
        pytest.param(_invalid_spec, id="an invalid spec"),
    ],
)
def test_every_status_is_one_that_the_definition_knows(story: Callable[[World], None]) -> None:
    world = World()
    seen: list[Manifest] = []

    def look(ref: Ref) -> None:
        if ref == SERVER:
            seen.append((world.cluster.find(SERVER) or {}).get("status", {}))

    world.cluster.subscribe(look)
    story(world)
    assert len(seen) > 1
    assert [str(fault) for status in seen for fault in breaches(SCHEMA, status, "status")] == []
