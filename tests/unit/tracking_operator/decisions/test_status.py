"""The status has the shape that the resource says, in every state that the flows bring it into."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest
import yaml

from tests.support.clusters import World
from tests.support.servers import EXTERNAL, S3, SHARED_VOLUME, a_store
from tracking_operator.decisions.conditions import Condition, as_manifest
from tracking_operator.decisions.drift import is_list, is_map
from tracking_operator.resource.conditions import ConditionType, Reason

EARLY = datetime(2026, 1, 1, tzinfo=UTC)
LATE = datetime(2026, 1, 2, tzinfo=UTC)


def a_condition(status: Any, message: str = "m") -> Condition:
    return Condition(type=ConditionType.READY, status=status, reason=Reason.ROLLING_OUT, message=message)


def test_the_time_of_a_condition_changes_with_its_status_alone() -> None:
    first = as_manifest([a_condition("False")], (), generation=1, now=EARLY)
    same = as_manifest([a_condition("False", "other words")], first, generation=2, now=LATE)
    other = as_manifest([a_condition("True")], first, generation=2, now=LATE)
    assert same[0]["lastTransitionTime"] == "2026-01-01T00:00:00Z"
    assert same[0]["message"] == "other words"
    assert same[0]["observedGeneration"] == 2
    assert other[0]["lastTransitionTime"] == "2026-01-02T00:00:00Z"


def test_what_is_not_known_is_unknown_and_the_abnormal_is_absent() -> None:
    written = {one["type"]: one["status"] for one in as_manifest([], (), generation=1, now=EARLY)}
    assert written["Ready"] == "Unknown"
    assert "Stalled" not in written
    assert "Reconciling" not in written


def test_what_was_known_is_kept_when_this_pass_does_not_know() -> None:
    first = as_manifest([a_condition("True")], (), generation=1, now=EARLY)
    assert as_manifest([], first, generation=2, now=LATE)[0] == first[0]


def a_world_of(name: str) -> World:
    world = World()
    world.put_secret()
    upgrade: dict[str, Any] = {"hooks": {"preMigration": [{"name": "h", "image": "hook:1"}]}}
    match name:
        case "failed":
            upgrade["onFailure"] = "RestoreBackup"
            world.endings["migrate"] = "halfway"
        case "unreachable":
            world.database.is_reachable = False
        case "no bucket":
            world.put_bucket_keys()
            world.store_fault = "NoSuchBucket"
        case "unusable":
            world.unpullable.add("server:2")
        case _:
            pass
    world.database.revision = None if name == "empty" else 1
    artifacts = a_store("s3", S3) if name == "no bucket" else SHARED_VOLUME
    world.submit(image="server:2", database=EXTERNAL, artifacts=artifacts, upgrade=upgrade)
    return world


@pytest.mark.parametrize("name", ["empty", "upgraded", "failed", "unreachable", "unusable", "no bucket"])
def test_every_field_of_the_status_is_one_of_the_resource(name: str) -> None:
    text = files("tracking_operator.resource").joinpath("trackingservers.yaml").read_text("utf-8")
    version = yaml.safe_load(text)["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]["properties"]["status"]
    world = a_world_of(name)
    for _ in range(60):
        world.run(1)
        assert list(_unknown(schema, world.status, "status")) == []


def _unknown(schema: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    """What an API server would drop or refuse."""
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path} is {value!r}"
    if is_map(value):
        missing = set(schema.get("required", ())) - value.keys()
        yield from (f"{path}.{name} is missing" for name in missing)
        for name, inner in value.items():
            known = schema.get("properties", {}).get(name)
            if known is None:
                yield f"{path}.{name} is not known"
            else:
                yield from _unknown(known, inner, f"{path}.{name}")
    elif is_list(value):
        for index, inner in enumerate(value):
            yield from _unknown(schema["items"], inner, f"{path}[{index}]")
    elif value is None:
        yield f"{path} is null"
