"""The search of model versions: one statement for a page of them. Their tags are loaded afterwards."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, or_, select

from tracking_server.database.schema import model_version_tags, model_versions, registered_model_tags
from tracking_server.database.statements.conditions import filter_matches, number_matches, text_equals, text_matches
from tracking_server.database.statements.model_versions import COLUMNS, LIVE
from tracking_server.database.statements.paging import (
    PageQuery,
    Selected,
    SortKey,
    check_page_size,
    query_hash,
    select_page,
)
from tracking_server.database.statements.prompt_rule import prompts_hidden, with_prompt_rule
from tracking_server.entities.model_versions import SearchModelVersions
from tracking_server.entities.tags import IS_PROMPT_TAG
from tracking_server.search.grammars import MODEL_VERSION_ORDERS, MODEL_VERSIONS
from tracking_server.search.parser import parse_filter, parse_order_by
from tracking_server.search.tree import Comparator, Comparison, Entity, Identifier, Ordering, Value

MOST_RESULTS: Final = 200_000

_NUMBER: Final = "version_number"
_ATTRIBUTES: Final[Mapping[str, ColumnElement[Any]]] = {
    "name": model_versions.c.name,
    "run_id": model_versions.c.run_id,
    "source_path": model_versions.c.source,
    _NUMBER: model_versions.c.version,
    "creation_timestamp": model_versions.c.creation_time,
    "last_updated_timestamp": model_versions.c.last_updated_time,
}
_TIMES: Final = frozenset({"creation_timestamp", "last_updated_timestamp"})


def select_model_version_page(request: SearchModelVersions, dialect: str) -> PageQuery:
    """Its rows have the columns of `statements.model_versions.COLUMNS`.

    Raises InvalidParameter for a filter, an order, a page size or a token that cannot be.
    """
    check_page_size(request.max_results, MOST_RESULTS)
    tree = parse_filter(request.filter, MODEL_VERSIONS)
    orderings = parse_order_by(request.order_by, MODEL_VERSION_ORDERS)
    is_prompt = _is_of_prompt(dialect)
    statement: Selected = select(*COLUMNS).where(
        *LIVE,
        prompts_hidden(tree, is_prompt),
        filter_matches(tree, with_prompt_rule(lambda comparison: _comparison_holds(comparison, dialect), is_prompt)),
    )
    return select_page(
        statement,
        [_sort_key(ordering) for ordering in _total(orderings)],
        size=request.max_results,
        token=request.page_token,
        query=query_hash("model versions", request.filter, request.order_by),
        dialect=dialect,
    )


def _comparison_holds(comparison: Comparison, dialect: str) -> ColumnElement[bool]:
    key, comparator, value = comparison.identifier.key, comparison.comparator, comparison.value
    match comparison.identifier.entity:
        case Entity.ATTRIBUTE if key == _NUMBER:
            return number_matches(model_versions.c.version, comparator, value)
        case Entity.ATTRIBUTE:
            return text_matches(_ATTRIBUTES[key], comparator, value, dialect)
        case Entity.TAG:
            return _has_tag(key, comparator, value, dialect)
        case Entity.METRIC | Entity.PARAM | Entity.DATASET as entity:
            raise AssertionError(f"the grammar has no {entity.value}")


def _has_tag(key: str, comparator: Comparator, value: Value, dialect: str) -> ColumnElement[bool]:
    tag = model_version_tags.c
    return exists().where(
        tag.workspace == model_versions.c.workspace,
        tag.name == model_versions.c.name,
        tag.version == model_versions.c.version,
        text_equals(tag.key, key, dialect),
        text_matches(tag.value, comparator, value, dialect),
    )


def _is_of_prompt(dialect: str) -> ColumnElement[bool]:
    """The version says so, or its model does."""
    tag = registered_model_tags.c
    of_model = exists().where(
        tag.workspace == model_versions.c.workspace,
        tag.name == model_versions.c.name,
        text_equals(tag.key, IS_PROMPT_TAG, dialect),
        text_equals(tag.value, "true", dialect),
    )
    return or_(_has_tag(IS_PROMPT_TAG, Comparator.EQUAL, "true", dialect), of_model)


def _total(orderings: tuple[Ordering, ...]) -> list[Ordering]:
    """The latest change first, unless an order is given; between equals the name decides, then the highest number."""
    latest = Ordering(identifier=_attribute("last_updated_timestamp"), descending=True)
    ties = (Ordering(identifier=_attribute("name")), Ordering(identifier=_attribute(_NUMBER), descending=True))
    named = {ordering.identifier for ordering in orderings}
    return [*(orderings or (latest,)), *(ordering for ordering in ties if ordering.identifier not in named)]


def _attribute(key: str) -> Identifier:
    return Identifier(entity=Entity.ATTRIBUTE, key=key)


def _sort_key(ordering: Ordering) -> SortKey:
    key = ordering.identifier.key
    return SortKey(
        column=_ATTRIBUTES[key],
        kind=str if key == "name" else int,
        descending=ordering.descending,
        is_nullable=key in _TIMES,
    )
