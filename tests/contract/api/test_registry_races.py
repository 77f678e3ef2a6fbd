"""Many who change one registered model at once: numbers are given once, and nothing points to what is gone."""

import json
from functools import partial
from typing import Any

import pytest

from tests.support.api_calls import Api, Refusal
from tests.support.races import at_once
from tests.support.registry import a_registered_model, a_version

WRITERS = 6
ROUNDS = 5


def refusals(answers: list[Any]) -> list[tuple[int, str]]:
    return [(each.http_status, each.error_code) for each in answers if isinstance(each, Refusal)]


def test_one_of_many_creates_the_model_and_the_others_hear_that_it_exists(api: Api) -> None:
    answers = at_once([partial(a_registered_model, api)] * WRITERS)
    assert refusals(answers) == [(400, "RESOURCE_ALREADY_EXISTS")] * (WRITERS - 1)


def test_each_version_has_a_number_of_its_own(api: Api) -> None:
    a_registered_model(api)

    def create() -> list[int]:
        return [int(a_version(api)["version"]) for _ in range(ROUNDS)]

    numbers = [number for answer in at_once([create] * WRITERS) for number in answer]
    assert sorted(numbers) == list(range(1, WRITERS * ROUNDS + 1))


def test_a_logged_model_hears_of_all_its_versions(api: Api, experiment: str) -> None:
    model_id = api.post("logged-models", experiment_id=experiment)["model"]["info"]["model_id"]
    names = [f"model{writer}" for writer in range(WRITERS)]
    for name in names:
        a_registered_model(api, name)
    at_once([partial(a_version, api, name, f"models:/{model_id}", model_id=model_id) for name in names])
    (tag,) = api.get(f"logged-models/{model_id}")["model"]["info"]["tags"]
    assert sorted(each["name"] for each in json.loads(tag["value"])) == names


@pytest.mark.parametrize("rounds", [ROUNDS])
def test_aliases_and_stages_move_while_versions_come_and_go(api: Api, rounds: int) -> None:
    a_registered_model(api)
    a_version(api)

    def come_and_go() -> None:
        for _ in range(rounds):
            api.delete("model-versions/delete", name="forest", version=a_version(api)["version"])

    def move_alias() -> list[tuple[int, str]]:
        return [
            (each.http_status, each.error_code)
            for number in range(rounds)
            for each in at_once(
                [partial(api.post, "registered-models/alias", name="forest", alias="best", version=str(number + 1))]
            )
            if isinstance(each, Refusal)
        ]

    def stage() -> None:
        for _ in range(rounds):
            api.post(
                "model-versions/transition-stage",
                name="forest",
                version="1",
                stage="Production",
                archive_existing_versions=True,
            )

    answers = at_once([come_and_go, come_and_go, move_alias, move_alias, stage, stage])
    assert refusals(answers) == []
    assert {each for answer in answers if answer for each in answer} <= {(404, "RESOURCE_DOES_NOT_EXIST")}
    aliases = api.get("registered-models/get", name="forest")["registered_model"].get("aliases", [])
    there = {each["version"] for each in api.get("model-versions/search")["model_versions"]}
    assert {alias["version"] for alias in aliases} <= there


def test_a_model_that_is_deleted_takes_its_new_versions_along(api: Api) -> None:
    a_registered_model(api)
    creations = [partial(a_version, api, tags=[{"key": "a", "value": "1"}])] * (WRITERS - 1)
    answers = at_once([*creations, partial(api.delete, "registered-models/delete", name="forest")])
    assert answers[-1] == {}
    assert set(refusals(answers)) <= {(404, "RESOURCE_DOES_NOT_EXIST")}
    assert api.get("model-versions/search") == {}


def test_a_model_that_is_renamed_meanwhile_is_found_or_not(api: Api) -> None:
    a_registered_model(api)
    creations = [partial(a_version, api)] * (WRITERS - 1)
    answers = at_once([*creations, partial(api.post, "registered-models/rename", name="forest", new_name="wood")])
    assert set(refusals(answers)) <= {(404, "RESOURCE_DOES_NOT_EXIST")}
    versions = api.get("model-versions/search").get("model_versions", [])
    assert {version["name"] for version in versions} <= {"wood"}
    assert len(versions) == WRITERS - 1 - len(refusals(answers))
