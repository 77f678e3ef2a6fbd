"""The searches of the registry over the API: section 7.4 of the contract, and prompts among models."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from tests.support.api_calls import Api
from tests.support.registry import INVALID, PROMPT, a_prompt, a_registered_model, a_version, outcome_of, tags
from tracking_server.database.transactions import Database

ENGINES_WITHOUT_CASE: Final = {"mysql"}
"""Their usual collation sorts letters whatever their case."""


@pytest.fixture
def models(api: Api) -> None:
    """Made in this order, `beta` changed last."""
    a_registered_model(api, "beta", tags=tags({"team": "Blue", "a b/c": "x"}))
    a_registered_model(api, "alpha", tags=tags({"team": "red"}))
    a_registered_model(api, "gamma_1")
    api.patch("registered-models/update", name="beta", description="d")


@pytest.fixture
def versions(api: Api) -> None:
    """Made in this order; the first one changed last."""
    a_registered_model(api, "alpha")
    a_registered_model(api, "beta")
    a_version(api, "alpha", "s3://b/one", run_id="r1", tags=tags({"team": "Blue"}))
    a_version(api, "beta", "s3://b/two", run_id="r2", tags=tags({"team": "red"}))
    a_version(api, "alpha", "s3://c/three", run_id="r1")
    a_version(api, "alpha", "s3://c/four")
    api.delete("model-versions/delete", name="alpha", version="2")
    api.patch("model-versions/update", name="alpha", version="1", description="d")


def found_models(api: Api, text: str = "", **more: Any) -> list[str]:
    answer = api.get("registered-models/search", filter=text, **more)
    return [model["name"] for model in answer.get("registered_models", [])]


def found_versions(api: Api, text: str = "", **more: Any) -> list[str]:
    answer = api.get("model-versions/search", filter=text, **more)
    return [f"{version['name']}/{version['version']}" for version in answer.get("model_versions", [])]


MODELS_BY_FILTER: Final[Mapping[str, Sequence[str]]] = {
    "": ["alpha", "beta", "gamma_1"],
    "name = 'alpha'": ["alpha"],
    'attribute.name = "alpha"': ["alpha"],
    "name = 'ALPHA'": [],
    "name != 'alpha'": ["beta", "gamma_1"],
    "name LIKE '%a'": ["alpha", "beta"],
    "name LIKE 'A%'": [],
    "name ILIKE 'A%'": ["alpha"],
    "name IN ('alpha', 'beta', 'nothing')": ["alpha", "beta"],
    "name NOT IN ('alpha')": ["beta", "gamma_1"],
    "tags.team = 'Blue'": ["beta"],
    "tag.team = 'blue'": [],
    "tag.team ILIKE 'blue'": ["beta"],
    "tags.team LIKE '%e%'": ["alpha", "beta"],
    "tags.team != 'red'": ["beta"],
    "tags.`a b/c` = 'x'": ["beta"],
    "name LIKE '%a%' AND tags.team != 'Blue'": ["alpha"],
    "name = 'alpha' OR (tags.team = 'Blue' AND NOT name = 'gamma_1')": ["alpha", "beta"],
    "NOT tags.team = 'red'": ["beta", "gamma_1"],
}


@pytest.mark.usefixtures("models")
def test_models_are_found(api: Api) -> None:
    assert {text: found_models(api, text) for text in MODELS_BY_FILTER} == MODELS_BY_FILTER


VERSIONS_BY_FILTER: Final[Mapping[str, Sequence[str]]] = {
    "": ["alpha/1", "alpha/3", "beta/1"],
    "name = 'alpha'": ["alpha/1", "alpha/3"],
    "attribute.name != 'alpha'": ["beta/1"],
    "name ILIKE 'B%'": ["beta/1"],
    "name IN ('beta', 'alpha')": ["alpha/1", "alpha/3", "beta/1"],
    "name NOT IN ('beta')": ["alpha/1", "alpha/3"],
    "run_id = 'r1'": ["alpha/1"],
    "run_id IN ('r1', 'r2')": ["alpha/1", "beta/1"],
    "run_id LIKE 'r%'": ["alpha/1", "beta/1"],
    "source_path = 's3://b/one'": ["alpha/1"],
    "source_path LIKE 's3://c/%'": ["alpha/3"],
    "version_number = 1": ["alpha/1", "beta/1"],
    "version_number = '1'": ["alpha/1", "beta/1"],
    "version_number > 1 AND version_number <= 4": ["alpha/3"],
    "version_number != 1": ["alpha/3"],
    "version_number < 99999999999": ["alpha/1", "alpha/3", "beta/1"],
    "tags.team = 'Blue'": ["alpha/1"],
    "tag.team ILIKE 'BLUE'": ["alpha/1"],
    "tag.team != 'Blue'": ["beta/1"],
    "run_id = 'r2' OR version_number = 3": ["alpha/3", "beta/1"],
}


@pytest.mark.usefixtures("versions")
def test_versions_are_found(api: Api) -> None:
    assert {text: sorted(found_versions(api, text)) for text in VERSIONS_BY_FILTER} == VERSIONS_BY_FILTER


REFUSED: Final = [
    "colour = 'red'",
    "name > 'a'",
    "name = alpha",
    "name = 1",
    "name IN ()",
    "name IS NULL",
    "tags.a IN ('b')",
    "tags.a > 'b'",
    "attributes.name = 'a'",
    "params.a = 'b'",
    "name = 'a';",
    "name LIKE",
    "timestamp > 1",
]


REFUSED_OF_MODELS: Final = (*REFUSED, "run_id = 'r'", "version_number = 1")
REFUSED_OF_VERSIONS: Final = (
    *REFUSED,
    "version_number = 1.5",
    "version_number IN (1)",
    "source_path IN ('a')",
    "current_stage = 'None'",
)
REFUSED_ORDERS: Final = (["bogus"], ["name", "name"], ["tags.a"], ["name SIDEWAYS"], [""])


@pytest.mark.parametrize(
    ("path", "filters"), [("registered-models", REFUSED_OF_MODELS), ("model-versions", REFUSED_OF_VERSIONS)]
)
def test_what_cannot_be_asked_is_refused(api: Api, path: str, filters: Sequence[str]) -> None:
    queries: list[dict[str, Any]] = [
        *({"filter": text} for text in filters),
        *({"order_by": order} for order in REFUSED_ORDERS),
    ]
    for query in queries:
        assert outcome_of(api, "GET", f"{path}/search", **query) == INVALID, query


MODELS_BY_ORDER: Final[Mapping[tuple[str, ...], Sequence[str]]] = {
    (): ["alpha", "beta", "gamma_1"],
    ("name DESC",): ["gamma_1", "beta", "alpha"],
    ("timestamp",): ["alpha", "gamma_1", "beta"],
    ("last_updated_timestamp DESC", "name"): ["beta", "gamma_1", "alpha"],
}


@pytest.mark.usefixtures("models")
def test_models_are_ordered(api: Api) -> None:
    assert {order: found_models(api, order_by=order) for order in MODELS_BY_ORDER} == MODELS_BY_ORDER


VERSIONS_BY_ORDER: Final[Mapping[tuple[str, ...], Sequence[str]]] = {
    (): ["alpha/1", "alpha/3", "beta/1"],
    ("name",): ["alpha/3", "alpha/1", "beta/1"],
    ("name DESC", "version_number ASC"): ["beta/1", "alpha/1", "alpha/3"],
    ("version_number",): ["alpha/1", "beta/1", "alpha/3"],
    ("creation_timestamp DESC",): ["alpha/3", "beta/1", "alpha/1"],
    ("last_updated_timestamp",): ["beta/1", "alpha/3", "alpha/1"],
}


@pytest.mark.usefixtures("versions")
def test_versions_are_ordered(api: Api) -> None:
    assert {order: found_versions(api, order_by=order) for order in VERSIONS_BY_ORDER} == VERSIONS_BY_ORDER


@pytest.mark.parametrize(("path", "most"), [("registered-models", 1000), ("model-versions", 200_000)])
def test_a_page_has_a_size(api: Api, path: str, most: int) -> None:
    assert api.get(f"{path}/search", max_results=str(most)) == {}
    for size in ("0", "-1", str(most + 1), "x"):
        assert outcome_of(api, "GET", f"{path}/search", max_results=size) == INVALID
    assert outcome_of(api, "GET", f"{path}/search", page_token="nonsense") == INVALID


def pages(api: Api, path: str, key: str, **query: str | Sequence[str]) -> list[Any]:
    found, token = [], ""
    while True:
        answer = api.get(f"{path}/search", max_results="2", page_token=token, **query)
        found += answer.get(key, [])
        token = answer.get("next_page_token", "")
        if not token:
            return found


@pytest.mark.parametrize("order_by", [[], ["name DESC"], ["last_updated_timestamp DESC"]])
def test_pages_together_are_the_whole(api: Api, order_by: list[str]) -> None:
    for number in range(5):
        a_registered_model(api, f"m{number}", tags=tags({"number": str(number)}))
        a_version(api, f"m{number % 2}" if number else "m0", tags=tags({"number": str(number)}))
    for path, key in (("registered-models", "registered_models"), ("model-versions", "model_versions")):
        whole = api.get(f"{path}/search", order_by=order_by)[key]
        assert len(whole) == 5
        assert pages(api, path, key, order_by=order_by) == whole


def test_what_is_found_is_whole(api: Api) -> None:
    """Aliases are told of models, and of versions only by name."""
    a_registered_model(api, "forest", description="d", tags=tags({"a": "1"}))
    a_version(api, tags=tags({"b": "2"}))
    a_version(api)
    api.post("model-versions/transition-stage", name="forest", version="1", stage="Production")
    api.post("registered-models/alias", name="forest", alias="best", version="1")
    (model,) = api.get("registered-models/search")["registered_models"]
    assert model == api.get("registered-models/get", name="forest")["registered_model"]
    assert [each["version"] for each in model["latest_versions"]] == ["1", "2"]
    versions = api.get("model-versions/search", order_by=["version_number"])["model_versions"]
    assert versions == model["latest_versions"]
    assert versions[0]["tags"] == tags({"b": "2"})


def test_tags_go_with_their_own_version_only(api: Api) -> None:
    """The statement looks for all numbers of all names of a page."""
    for name in ("a", "b"):
        a_registered_model(api, name)
        for number in (1, 2):
            a_version(api, name, tags=tags({"is": f"{name}{number}"}))
    api.delete("model-versions/delete", name="a", version="2")
    found = api.get("model-versions/search", filter="name = 'a' OR version_number = 2")["model_versions"]
    assert {(each["name"], each["version"]): each["tags"] for each in found} == {
        ("a", "1"): tags({"is": "a1"}),
        ("b", "2"): tags({"is": "b2"}),
    }


@pytest.fixture
def prompts(api: Api) -> None:
    a_registered_model(api, "model")
    a_version(api, "model")
    a_prompt(api, "prompt", ["one", "two"])
    a_registered_model(api, "unmarked", tags=tags({"mlflow.prompt.is_prompt": "false"}))
    # One that was registered without the tag is hidden with its prompt; one that has it, in a model, alone.
    a_version(api, "prompt", "s3://bucket/m")
    a_version(api, "model", "dummy-source", tags=[PROMPT])


MARK: Final = "tags.`mlflow.prompt.is_prompt`"


PROMPTS_BY_FILTER: Final[Mapping[str, tuple[Sequence[str], Sequence[str]]]] = {
    "": (["model", "unmarked"], ["model/1"]),
    "name LIKE '%'": (["model", "unmarked"], ["model/1"]),
    f"{MARK} != 'true'": (["model", "unmarked"], ["model/1"]),
    f"{MARK} = 'false'": (["model", "unmarked"], ["model/1"]),
    f"{MARK} = 'true'": (["prompt"], ["model/2", "prompt/1", "prompt/2"]),
    f"name = 'prompt' AND {MARK} = 'true'": (["prompt"], ["prompt/1", "prompt/2"]),
    "name = 'prompt'": ([], []),
    f"name = 'model' OR {MARK} = 'true'": (["model", "prompt"], ["model/1", "model/2", "prompt/1", "prompt/2"]),
}


@pytest.mark.usefixtures("prompts")
def test_prompts_are_found_by_who_asks_for_them(api: Api) -> None:
    found = {text: (found_models(api, text), sorted(found_versions(api, text))) for text in PROMPTS_BY_FILTER}
    assert found == PROMPTS_BY_FILTER


def test_names_are_compared_with_case_on_every_engine(api: Api, database: Database) -> None:
    a_registered_model(api, "Forest")
    if database.dialect in ENGINES_WITHOUT_CASE:
        assert outcome_of(api, "POST", "registered-models/create", name="forest")[0] == 400
    else:
        a_registered_model(api, "forest")
    assert found_models(api, "name = 'Forest'") == ["Forest"]
    assert found_models(api, "name LIKE 'F%'") == ["Forest"]
