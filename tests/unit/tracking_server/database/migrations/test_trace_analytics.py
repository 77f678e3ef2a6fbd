import json

import pytest

from tracking_server.database.migrations.mlflow.trace_analytics import (
    COST,
    SESSION,
    TOKEN_USAGE,
    UnknownDimensions,
    aggregate,
    finite,
    span_values,
    trace_values,
    whole_number,
)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3),
        (3.0, 3),
        ("12", 12),
        (-4, -4),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        (2.5, None),
        (True, None),
        ("many", None),
        ([1], None),
        (float("nan"), None),
        (None, None),
    ],
)
def test_a_number_of_tokens_is_whole_and_fits(value: object, number: int | None) -> None:
    assert whole_number(value) == number


@pytest.mark.parametrize(
    ("value", "number"),
    [(0.5, 0.5), (1, 1.0), ("0.25", 0.25), (True, None), (float("inf"), None), ("dear", None), (10**400, None)],
)
def test_a_cost_is_finite(value: object, number: float | None) -> None:
    assert finite(value) == number


@pytest.mark.parametrize(
    ("value", "counts_as"),
    [
        ("true", (1.0, False)),
        ("0.75", (0.75, True)),
        ("NaN", (None, False)),
        ('" No "', (0.0, False)),
        ("yes", (1.0, False)),
        ('"perhaps"', (None, False)),
        ("null", (None, False)),
        ('{"a": 42}', (None, False)),
        ("{", (None, False)),
    ],
)
def test_what_an_assessment_counts_as(value: str, counts_as: tuple[float | None, bool]) -> None:
    assert aggregate(value) == counts_as


def test_a_metric_goes_before_the_metadata_also_when_it_is_no_number() -> None:
    metadata = {
        TOKEN_USAGE: json.dumps({"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}),
        COST: json.dumps({"total_cost": 0.5}),
        SESSION: "s" * 300,
    }
    values = trace_values("n" * 5000, metadata, {"input_tokens": 7.0, "output_tokens": 2.5})
    assert [values[f"{which}_tokens"] for which in ("input", "output", "total")] == [7, None, 3]
    assert (values["total_cost"], values["input_cost"]) == (0.5, None)
    assert (values["session_id"], values["trace_name"]) == ("s" * 250, "n" * 4096)


def test_the_model_of_a_span_is_cut_to_its_column() -> None:
    values = span_values(json.dumps({"mlflow.llm.model": "m" * 600, "mlflow.llm.provider": None}), {"total_cost": 1.5})
    assert (values["model_name"], values["model_provider"], values["total_cost"]) == ("m" * 500, None, 1.5)


@pytest.mark.parametrize("text", ["null", "{}", '"{}"', None])
def test_a_span_may_have_no_dimensions(text: str | None) -> None:
    assert set(span_values(text, {}).values()) == {None}


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "no JSON"), ("4", "int instead of an object"), ('{"b": "x", "a": "y"}', "no column: a, b")],
)
def test_dimensions_without_a_column_are_named(text: str, said: str) -> None:
    with pytest.raises(UnknownDimensions, match=said):
        span_values(text, {})
