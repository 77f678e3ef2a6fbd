"""What revision 75868b020152 makes of the words of traces, spans and assessments: values for columns, decided alone."""

import json
import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

NAME_TAG: Final = "mlflow.traceName"
SESSION: Final = "mlflow.trace.session"
TOKEN_USAGE: Final = "mlflow.trace.tokenUsage"  # noqa: S105 - tokens of a language model
COST: Final = "mlflow.trace.cost"
GATEWAY_ENDPOINT: Final = "mlflow.gateway.endpointId"
MODEL: Final = "mlflow.llm.model"
PROVIDER: Final = "mlflow.llm.provider"

NAME_LENGTH: Final = 4096
SESSION_LENGTH: Final = 250
MODEL_LENGTH: Final = 500
TOKENS: Final = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation_input_tokens_above_1hr",
)
COSTS: Final = ("input_cost", "output_cost", "total_cost")
LARGEST: Final = 2**63 - 1

Values = Mapping[str, str | int | float | None]


class UnknownDimensions(ValueError):
    """What no column takes, and would be lost with the column that has it."""


def trace_values(name: str | None, metadata: Mapping[str, str | None], metrics: Mapping[str, float | None]) -> Values:
    """A metric goes before what the metadata say of the same tokens, also one that is no number of tokens."""
    usage, cost = _object(metadata.get(TOKEN_USAGE)), _object(metadata.get(COST))
    return {
        "trace_name": _cut(name, NAME_LENGTH),
        "session_id": _cut(metadata.get(SESSION), SESSION_LENGTH),
        **{key: whole_number(metrics[key] if key in metrics else usage.get(key)) for key in TOKENS},
        **{key: finite(cost.get(key)) for key in COSTS},
    }


def span_values(dimensions: str | None, metrics: Mapping[str, float | None]) -> Values:
    """Raises UnknownDimensions."""
    known = _dimensions(dimensions)
    return {
        **{key: finite(metrics.get(key)) for key in COSTS},
        "model_name": _cut(known.get(MODEL), MODEL_LENGTH),
        "model_provider": _cut(known.get(PROVIDER), MODEL_LENGTH),
    }


def _dimensions(text: str | None) -> Mapping[str, str | None]:
    try:
        value: Any = None if text is None else json.loads(text)
        if isinstance(value, str):  # a string in a column of JSON
            value = json.loads(value)
    except ValueError as error:
        raise UnknownDimensions("no JSON") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnknownDimensions(f"{type(value).__name__} instead of an object")
    found = cast(dict[str, Any], value)
    strange = [key for key, each in found.items() if key not in {MODEL, PROVIDER} or not isinstance(each, str | None)]
    if strange:
        raise UnknownDimensions(f"values that have no column: {', '.join(sorted(strange))}")
    return found


def aggregate(value: str) -> tuple[float | None, bool]:
    """What an assessment counts as in a sum, and whether it is a number of itself."""
    try:
        parsed: Any = json.loads(value)
    except ValueError:
        parsed = value
    match parsed:
        case bool():
            return float(parsed), False
        case int() | float():
            number = finite(parsed)
            return number, number is not None
        case str():
            return {"yes": 1.0, "no": 0.0}.get(parsed.strip().lower()), False
        case _:
            return None, False


def finite(value: Any) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def whole_number(value: Any) -> int | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    if not number.is_finite() or number != number.to_integral_value() or not -LARGEST - 1 <= number <= LARGEST:
        return None
    return int(number)


def _object(text: str | None) -> Mapping[str, Any]:
    try:
        value: Any = json.loads(text or "")
    except ValueError:
        return {}
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _cut(text: str | None, length: int) -> str | None:
    return text[:length] if text is not None else None
