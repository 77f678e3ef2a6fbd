"""Registered models, prompts and versions for tests, made over the API; and how calls are refused."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from tests.support.api_calls import Api, Refusal

PROMPT: Final = {"key": "mlflow.prompt.is_prompt", "value": "true"}
INVALID: Final = (400, "INVALID_PARAMETER_VALUE")
MISSING: Final = (404, "RESOURCE_DOES_NOT_EXIST")
TAKEN: Final = (400, "RESOURCE_ALREADY_EXISTS")


def tags(given: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in given.items()]


def a_registered_model(api: Api, name: str = "forest", **fields: object) -> Any:
    return api.post("registered-models/create", name=name, **fields)["registered_model"]


def a_version(api: Api, name: str = "forest", source: str = "s3://bucket/model", **fields: object) -> Any:
    return api.post("model-versions/create", name=name, source=source, **fields)["model_version"]


def a_prompt(api: Api, name: str = "greeting", texts: Sequence[str] = ("Hello {{name}}",)) -> None:
    """With a version for each text."""
    a_registered_model(api, name, tags=[PROMPT])
    for text in texts:
        a_version(api, name, "dummy-source", tags=[PROMPT, {"key": "mlflow.prompt.text", "value": text}])


def refusal_of(api: Api, method: str, path: str, **fields: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        api.get(path, **fields) if method == "GET" else api.call(method, path, body=fields)
    return refused.value


def outcome_of(api: Api, method: str, path: str, **fields: Any) -> tuple[int, str]:
    refused = refusal_of(api, method, path, **fields)
    return refused.http_status, refused.error_code
