"""Names, aliases, numbers and widths of the registry."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_server.database.schema import model_versions, registered_model_tags, registered_models
from tracking_server.entities.model_versions import Stage
from tracking_server.entities.tags import IS_PROMPT_TAG, Tag
from tracking_server.errors import BadRequest, InvalidParameter
from tracking_server.services.registry_limits import (
    WIDTHS,
    check_new_alias,
    check_width,
    is_prompt,
    parse_stage,
    parse_version,
)


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("01", 1), (" 7 ", 7), ("0", 0), ("-4", 0), (str(2**31), 0)])
def test_a_version_is_a_number_or_nothing(text: str, number: int) -> None:
    assert parse_version(text) == number


@given(text=st.text())
def test_any_text_is_a_number_or_refused(text: str) -> None:
    with suppress(InvalidParameter):
        assert 0 <= parse_version(text) < 2**31


@pytest.mark.parametrize(
    ("text", "stage"), [("none", Stage.NONE), ("STAGING", Stage.STAGING), ("Archived", Stage.ARCHIVED)]
)
def test_a_stage_is_named_in_any_case(text: str, stage: Stage) -> None:
    assert parse_stage(text) is stage


def test_an_alias_is_not_a_version() -> None:
    check_new_alias("v1x")
    for alias in ("v1", "V23", "Latest"):
        with pytest.raises(InvalidParameter, match="reserved"):
            check_new_alias(alias)


def test_the_widths_are_those_of_the_columns() -> None:
    columns: dict[str, Any] = {
        "name": registered_models.c.name,
        "new_name": registered_models.c.name,
        "description": model_versions.c.description,
        "source": model_versions.c.source,
        "run_id": model_versions.c.run_id,
        "run_link": model_versions.c.run_link,
        "tag value": registered_model_tags.c.value,
    }
    assert {name: column.type.length for name, column in columns.items()} == WIDTHS


def test_a_width_is_minded_where_the_engine_does() -> None:
    for dialect in ("postgresql", "mysql", "mssql"):
        check_width("n" * 256, "name", dialect)
        with pytest.raises(BadRequest, match=r"257 characters.* at most 256"):
            check_width("n" * 257, "name", dialect)
    check_width("n" * 257, "name", "sqlite")


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], False), (["true"], True), (["TRUE"], True), (["false"], False), (["true", "no"], False)],
)
def test_a_prompt_says_so_last(values: list[str], expected: bool) -> None:
    assert is_prompt([Tag("a", "true"), *(Tag(IS_PROMPT_TAG, value) for value in values)]) is expected
