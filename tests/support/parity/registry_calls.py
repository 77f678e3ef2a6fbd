"""The model registry: models, versions, stages, aliases, tags, prompts, and webhooks."""

from typing import Any, Final

from tests.support.parity.answers import Json
from tests.support.parity.calls import PREFIX, Call, get, named, post, send
from tests.support.parity.drawing import (
    KEYS,
    NOBODY,
    TEXTS,
    Draw,
    Known,
    Operation,
    a_coin,
    a_key,
    a_known,
    a_value,
    chance,
    mangled,
    mostly,
    one_of,
    pairs,
    some_of,
)

STAGES: Final = ("None", "Staging", "Production", "Archived", "staging", "PRODUCTION")
BAD_STAGES: Final = ("nowhere", "", 1)
ALIASES: Final = ("champion", "Best", "a-b_c", "größe")
BAD_ALIASES: Final = ("latest", "v1", "V2", "a b", "a/b", "", "x" * 255, "x" * 256)
BAD_VERSIONS: Final = ("abc", "1.0", "0", "-1", "01", "999", "", " 1")
BAD_MODEL_NAMES: Final = ("", " ", "a/b", "a:b")
IS_PROMPT: Final[Json] = {"key": "mlflow.prompt.is_prompt", "value": "true"}
_SOURCES: Final = (
    "s3://bucket/model",
    "models:/{model}/1",
    "models:/{model}@champion",
    "models:/{model}/latest",
    "models:/{model}/Staging",
)
_BAD_SOURCES: Final = (
    "/etc/passwd",
    "file:///etc/passwd",
    "../x",
    "mlflow-artifacts:/../x",
    "runs:/" + NOBODY + "/m",
    "models:/m-" + NOBODY,
    "",
    "s3://bucket/../x",
    "http://host/x",
    "s3://b/a#b",
    "s3://b/%2e%2e/x",
    "models:/nothing/1",
    "models:/",
    "dummy-source",
)
_NAME_PATTERNS: Final = ("%forest%", "%F%", "%_ald%")
_TAG_VALUES: Final = ("v", "1", "%", "V")
_COMPARATORS: Final = ("=", "!=", "LIKE", "ILIKE")
_NUMERIC: Final = ("=", "!=", ">", ">=", "<", "<=")
_NOT_FILTERS: Final = (
    "nonsense = 'x'",
    "name > 'x'",
    "name = 5",
    "tags.a > 'x'",
    "attributes.name = 'x'",
    "name",
    "name = 'x' OR name = 'y'",
    "version_number = 'x'",
    "run_id LIKE 5",
    "source_path IN ('a')",
    "name IN ()",
    "name IN (1)",
    "creation_time > 5",
)


def a_name(draw: Draw, known: Known) -> str:
    return str(a_known(draw, known, "registered", f"{PREFIX}nothing"))


def a_version(draw: Draw, known: Known) -> tuple[str, Any]:
    """A model and one of its versions."""
    there = known.of("version")
    name, version = (f"{PREFIX}nothing", "1") if chance(draw, 40) else one_of(draw, there)
    return name, mostly(draw, (version,), BAD_VERSIONS, 20)


def create_model(draw: Draw, known: Known) -> Call:
    number = known.next_number()
    is_prompt = chance(draw, 4)
    if known.of("registered") and chance(draw, 8):
        name = a_name(draw, known)
    elif chance(draw, 15):
        name = one_of(draw, BAD_MODEL_NAMES)
    else:
        name = f"{PREFIX}{one_of(draw, ('forest', 'Forest', 'wald'))} {number}".replace(" ", "_")
    body: dict[str, Json] = {"name": name}
    body |= some_of(draw, description=lambda: one_of(draw, TEXTS), tags=lambda: _tags(draw))
    if is_prompt:
        body["tags"] = [IS_PROMPT]
    body = mangled(draw, body)
    makes = [("registered", name)]
    if body.get("tags") == [IS_PROMPT]:
        makes.append(("prompt", name))
    return post("registered-models/create", body, makes=makes)


def _tags(draw: Draw) -> list[Json]:
    return [tag for tag in pairs(draw) if isinstance(tag, dict) and tag["key"]]


def get_model(draw: Draw, known: Known) -> Call:
    return get("registered-models/get", ("name", a_name(draw, known)))


def rename_model(draw: Draw, known: Known) -> Call:
    new = f"{PREFIX}renamed_{known.next_number()}".replace(" ", "_")
    if chance(draw, 5):
        new = one_of(draw, (a_name(draw, known), *BAD_MODEL_NAMES))
    old = a_name(draw, known)
    makes = [("registered", new)]
    if old in known.of("prompt"):
        makes.append(("prompt", new))
    return post("registered-models/rename", mangled(draw, {"name": old, "new_name": new}), makes=makes)


def update_model(draw: Draw, known: Known) -> Call:
    body = {"name": a_name(draw, known)} | some_of(draw, description=lambda: one_of(draw, TEXTS))
    return send("PATCH", "registered-models/update", mangled(draw, body))


def delete_model(draw: Draw, known: Known) -> Call:
    return send("DELETE", "registered-models/delete", mangled(draw, {"name": a_name(draw, known)}))


def latest_versions(draw: Draw, known: Known) -> Call:
    body: dict[str, Json] = {"name": a_name(draw, known)}
    if a_coin(draw):
        body["stages"] = [mostly(draw, STAGES, BAD_STAGES[:2], 15) for _ in range(draw.randint(0, 2))]
    if a_coin(draw):
        stages = body.get("stages", [])
        query = [("stages", str(stage)) for stage in stages] if isinstance(stages, list) else []
        return get("registered-models/get-latest-versions", ("name", str(body["name"])), *query)
    return post("registered-models/get-latest-versions", mangled(draw, body))


def create_version(draw: Draw, known: Known) -> Call:
    name = a_name(draw, known)
    body: dict[str, Json] = {"name": name, "source": _a_source(draw, known)}
    body |= some_of(draw, description=lambda: one_of(draw, TEXTS), tags=lambda: _tags(draw))
    if known.of("run") and chance(draw, 3):
        body["run_id"] = a_known(draw, known, "run")
    if known.of("run") and chance(draw, 8):
        body["source"] = f"runs:/{a_known(draw, known, 'run')}/model"
    if known.of("model") and name not in known.of("prompt") and chance(draw, 5):
        body["model_id"] = a_known(draw, known, "model")
        body["source"] = f"models:/{one_of(draw, (body['model_id'], a_known(draw, known, 'model')))}"
    if chance(draw, 6):
        body["run_link"] = "https://elsewhere/run"
    if name in known.of("prompt"):
        body |= {"source": "dummy-source", "tags": [IS_PROMPT, {"key": "mlflow.prompt.text", "value": "say {{x}}"}]}
    number = len([1 for known_name, _ in known.of("version") if known_name == name]) + 1
    return post("model-versions/create", mangled(draw, body), makes=[("version", (name, str(number)))])


def _a_source(draw: Draw, known: Known) -> str:
    source: str = mostly(draw, _SOURCES, _BAD_SOURCES, 6)
    return source.replace("{model}", a_name(draw, known))


def get_version(draw: Draw, known: Known) -> Call:
    name, version = a_version(draw, known)
    return get("model-versions/get", ("name", name), ("version", version))


def download_uri(draw: Draw, known: Known) -> Call:
    name, version = a_version(draw, known)
    return get("model-versions/get-download-uri", ("name", name), ("version", version))


def update_version(draw: Draw, known: Known) -> Call:
    name, version = a_version(draw, known)
    body = {"name": name, "version": version} | some_of(draw, description=lambda: one_of(draw, TEXTS))
    return send("PATCH", "model-versions/update", mangled(draw, body))


def delete_version(draw: Draw, known: Known) -> Call:
    name, version = a_version(draw, known)
    return send("DELETE", "model-versions/delete", mangled(draw, {"name": name, "version": version}))


def transition_stage(draw: Draw, known: Known) -> Call:
    name, version = a_version(draw, known)
    body = {"name": name, "version": version, "stage": mostly(draw, STAGES, BAD_STAGES, 12)}
    body |= some_of(draw, archive_existing_versions=lambda: one_of(draw, (True, False)))
    return post("model-versions/transition-stage", mangled(draw, body))


def set_model_tag(draw: Draw, known: Known) -> Call:
    body = {"name": a_name(draw, known), "key": a_key(draw), "value": a_value(draw)}
    return post("registered-models/set-tag", mangled(draw, body))


def delete_model_tag(draw: Draw, known: Known) -> Call:
    body = {"name": a_name(draw, known), "key": a_key(draw)}
    return send("DELETE", "registered-models/delete-tag", mangled(draw, body))


def set_version_tag(draw: Draw, known: Known) -> Call:
    name, version = a_version(draw, known)
    body = {"name": name, "version": version, "key": a_key(draw), "value": a_value(draw)}
    return post("model-versions/set-tag", mangled(draw, body))


def delete_version_tag(draw: Draw, known: Known) -> Call:
    name, version = a_version(draw, known)
    return send(
        "DELETE", "model-versions/delete-tag", mangled(draw, {"name": name, "version": version, "key": a_key(draw)})
    )


def _an_alias(draw: Draw) -> str:
    return str(mostly(draw, ALIASES, BAD_ALIASES, 8))


def set_alias(draw: Draw, known: Known) -> Call:
    name, version = a_version(draw, known)
    return post("registered-models/alias", mangled(draw, {"name": name, "alias": _an_alias(draw), "version": version}))


def delete_alias(draw: Draw, known: Known) -> Call:
    body = {"name": a_name(draw, known), "alias": _an_alias(draw)}
    return send("DELETE", "registered-models/alias", mangled(draw, body))


def get_by_alias(draw: Draw, known: Known) -> Call:
    return get("registered-models/alias", ("name", a_name(draw, known)), ("alias", _an_alias(draw)))


def search_models(draw: Draw, known: Known) -> Call:
    query = [("filter", _a_filter(draw, known, is_version=False))]
    if chance(draw, 2):
        query.append(("max_results", mostly(draw, ("1", "2", "100"), ("0", "1001", "x"), 15)))
    query += [("order_by", order) for order in _order(draw, ("name", "timestamp", "last_updated_timestamp"))]
    return get("registered-models/search", *query)


def search_versions(draw: Draw, known: Known) -> Call:
    query = [("filter", _a_filter(draw, known, is_version=True))]
    if chance(draw, 2):
        query.append(("max_results", mostly(draw, ("1", "2", "100"), ("0", "200001", "x"), 15)))
    columns = ("name", "version_number", "creation_timestamp", "last_updated_timestamp")
    query += [("order_by", order) for order in _order(draw, columns)]
    return get("model-versions/search", *query)


def _a_filter(draw: Draw, known: Known, *, is_version: bool) -> str:
    """Always of this sequence's models alone: a server has many others."""
    if chance(draw, 12):
        return one_of(draw, _NOT_FILTERS)
    comparisons = _OF_VERSIONS if is_version else _OF_MODELS
    others = [chosen(draw, known) for chosen in draw.sample(comparisons, draw.randint(0, 2))]
    return " AND ".join([f"name LIKE '{PREFIX}%'", *others])


def _of_name(draw: Draw, known: Known) -> str:
    return f"name {one_of(draw, _COMPARATORS)} '{one_of(draw, (a_name(draw, known), *_NAME_PATTERNS))}'"


def _of_names(draw: Draw, known: Known) -> str:
    return f"name {one_of(draw, ('IN', 'NOT IN'))} ('{a_name(draw, known)}', '{a_name(draw, known)}')"


def _of_tags(draw: Draw, _known: Known) -> str:
    left = f"{one_of(draw, ('tags', 'tag'))}.`{one_of(draw, KEYS)}`"
    return f"{left} {one_of(draw, _COMPARATORS)} '{one_of(draw, _TAG_VALUES)}'"


def _of_prompts(draw: Draw, _known: Known) -> str:
    return f"tag.`mlflow.prompt.is_prompt` {one_of(draw, ('=', '!='))} '{one_of(draw, ('true', 'false'))}'"


def _of_numbers(draw: Draw, _known: Known) -> str:
    return f"version_number {one_of(draw, _NUMERIC)} {one_of(draw, ('1', '2'))}"


def _of_runs(draw: Draw, known: Known) -> str:
    run = a_known(draw, known, "run")
    return one_of(draw, (f"run_id = '{run}'", f"run_id IN ('{run}')", f"run_id != '{run}'"))


def _of_sources(draw: Draw, _known: Known) -> str:
    return f"source_path {one_of(draw, _COMPARATORS)} '{one_of(draw, ('s3://bucket/model', 's3%', 'S3%'))}'"


_OF_MODELS: Final = (_of_name, _of_names, _of_tags, _of_prompts)
_OF_VERSIONS: Final = (*_OF_MODELS, _of_numbers, _of_runs, _of_sources)


def _order(draw: Draw, columns: tuple[str, ...]) -> list[str]:
    if chance(draw, 15):
        return [one_of(draw, ("nonsense", "name UP", "tags.a", "description"))]
    chosen = draw.sample(columns, draw.randint(0, 2))
    return [f"{column}{one_of(draw, ('', ' ASC', ' DESC', ' desc'))}" for column in chosen]


EVENTS: Final[tuple[Json, ...]] = (
    {"entity": "REGISTERED_MODEL", "action": "CREATED"},
    {"entity": "MODEL_VERSION", "action": "CREATED"},
    {"entity": "MODEL_VERSION_TAG", "action": "SET"},
    {"entity": "MODEL_VERSION_TAG", "action": "DELETED"},
    {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"},
    {"entity": "PROMPT_VERSION", "action": "CREATED"},
    {"entity": "PROMPT_ALIAS", "action": "DELETED"},
)
BAD_EVENTS: Final[tuple[Json, ...]] = (
    {"entity": "REGISTERED_MODEL", "action": "DELETED"},
    {"entity": "NONSENSE", "action": "CREATED"},
    {"entity": "MODEL_VERSION"},
)
URLS: Final = ("https://8.8.8.8/hook", "https://1.1.1.1:8443/a?b=c")
BAD_URLS: Final = (
    "http://8.8.8.8/x",
    "https://127.0.0.1/x",
    "https://10.0.0.1/x",
    "ftp://8.8.8.8/x",
    "not a url",
    "",
    "https://[::1]/x",
)
BAD_HOOK_NAMES: Final = ("", "-a", "a-", "a b", "x" * 63, "x" * 64, "a/b")


def _hook(draw: Draw, known: Known) -> dict[str, Any]:
    name = f"{PREFIX}hook-{known.next_number()}"
    return {
        "name": mostly(draw, (name,), BAD_HOOK_NAMES, 12),
        "url": mostly(draw, URLS, BAD_URLS, 12),
        "events": [mostly(draw, EVENTS, BAD_EVENTS, 15) for _ in range(draw.randint(1, 2))],
    }


def create_webhook(draw: Draw, known: Known) -> Call:
    """Disabled, or the call would be made."""
    symbol = f"hook{known.next_number()}"
    body = _hook(draw, known) | {"status": one_of(draw, ("DISABLED", 2))}
    body |= some_of(draw, description=lambda: one_of(draw, TEXTS), secret=lambda: "s")
    return post(
        "webhooks", mangled(draw, body, 12), keep={symbol: "webhook.webhook_id"}, makes=[("hook", named(symbol))]
    )


def _a_hook(draw: Draw, known: Known) -> str:
    return str(a_known(draw, known, "hook", "00000000-0000-0000-0000-000000000000", 12))


def get_webhook(draw: Draw, known: Known) -> Call:
    return get(f"webhooks/{_a_hook(draw, known)}")


def update_webhook(draw: Draw, known: Known) -> Call:
    hook = _hook(draw, known)
    body = {name: value for name, value in hook.items() if a_coin(draw)}
    body |= some_of(draw, description=lambda: one_of(draw, TEXTS))
    return send("PATCH", f"webhooks/{_a_hook(draw, known)}", mangled(draw, body, 12))


def delete_webhook(draw: Draw, known: Known) -> Call:
    hook = _a_hook(draw, known)
    return send("DELETE", f"webhooks/{hook}", {}, makes=[("deleted hook", hook)])


def list_webhooks(draw: Draw, known: Known) -> Call:
    """Of all sequences, newest first: no more than this one has."""
    there = len(set(known.of("hook")) - set(known.of("deleted hook")))
    size = str(draw.randint(1, there)) if there else "1001"
    return get("webhooks", ("max_results", mostly(draw, (size,), ("-1", "1001", "x"), 10)))


MODELS: Final = (
    Operation(draw=create_model, weight=4),
    Operation(draw=get_model, needs=["registered"], weight=2),
    Operation(draw=rename_model, needs=["registered"]),
    Operation(draw=update_model, needs=["registered"]),
    Operation(draw=delete_model, needs=["registered"]),
    Operation(draw=latest_versions, needs=["registered"], weight=2),
    Operation(draw=create_version, needs=["registered"], weight=6),
    Operation(draw=get_version, needs=["version"], weight=2),
    Operation(draw=download_uri, needs=["version"]),
    Operation(draw=update_version, needs=["version"]),
    Operation(draw=delete_version, needs=["version"]),
    Operation(draw=transition_stage, needs=["version"], weight=3),
    Operation(draw=set_model_tag, needs=["registered"], weight=2),
    Operation(draw=delete_model_tag, needs=["registered"]),
    Operation(draw=set_version_tag, needs=["version"], weight=2),
    Operation(draw=delete_version_tag, needs=["version"]),
    Operation(draw=set_alias, needs=["version"], weight=2),
    Operation(draw=delete_alias, needs=["registered"]),
    Operation(draw=get_by_alias, needs=["registered"]),
    Operation(draw=search_models, needs=["registered"], weight=3),
    Operation(draw=search_versions, needs=["registered"], weight=3),
)
WEBHOOKS: Final = (
    Operation(draw=create_webhook, weight=2),
    Operation(draw=get_webhook),
    Operation(draw=update_webhook, needs=["hook"]),
    Operation(draw=delete_webhook, needs=["hook"]),
    Operation(draw=list_webhooks, needs=["hook"]),
)
OPERATIONS: Final = (*MODELS, *WEBHOOKS)
