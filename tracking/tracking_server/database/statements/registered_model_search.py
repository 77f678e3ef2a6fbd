"""The search of registered models: one statement for a page of them. What they hold is loaded afterwards, by name."""

from typing import Final

from sqlalchemy import ColumnElement, exists, select

from tracking_server.database.schema import registered_model_tags, registered_models
from tracking_server.database.statements.conditions import filter_matches, text_equals, text_matches
from tracking_server.database.statements.paging import (
    PageQuery,
    Selected,
    SortKey,
    check_page_size,
    query_hash,
    select_page,
)
from tracking_server.database.statements.prompt_rule import prompts_hidden, with_prompt_rule
from tracking_server.database.statements.registered_models import COLUMNS
from tracking_server.entities.experiments import DEFAULT_WORKSPACE
from tracking_server.entities.registered_models import SearchRegisteredModels
from tracking_server.entities.tags import IS_PROMPT_TAG
from tracking_server.search.grammars import REGISTERED_MODEL_ORDERS, REGISTERED_MODELS
from tracking_server.search.parser import parse_filter, parse_order_by
from tracking_server.search.tree import Comparator, Comparison, Entity, Identifier, Ordering, Value

MOST_RESULTS: Final = 1000

_NAME: Final = Identifier(entity=Entity.ATTRIBUTE, key="name")


def select_registered_model_page(request: SearchRegisteredModels, dialect: str) -> PageQuery:
    """Its rows have the columns of `statements.registered_models.COLUMNS`.

    Raises InvalidParameter for a filter, an order, a page size or a token that cannot be.
    """
    check_page_size(request.max_results, MOST_RESULTS)
    tree = parse_filter(request.filter, REGISTERED_MODELS)
    orderings = parse_order_by(request.order_by, REGISTERED_MODEL_ORDERS)
    is_prompt = _has_tag(IS_PROMPT_TAG, Comparator.EQUAL, "true", dialect)
    statement: Selected = select(*COLUMNS).where(
        registered_models.c.workspace == DEFAULT_WORKSPACE,
        prompts_hidden(tree, is_prompt),
        filter_matches(tree, with_prompt_rule(lambda comparison: _comparison_holds(comparison, dialect), is_prompt)),
    )
    return select_page(
        statement,
        [_sort_key(ordering) for ordering in _total(orderings)],
        size=request.max_results,
        token=request.page_token,
        query=query_hash("registered models", request.filter, request.order_by),
        dialect=dialect,
    )


def _comparison_holds(comparison: Comparison, dialect: str) -> ColumnElement[bool]:
    match comparison.identifier.entity:
        case Entity.ATTRIBUTE:
            return text_matches(registered_models.c.name, comparison.comparator, comparison.value, dialect)
        case Entity.TAG:
            return _has_tag(comparison.identifier.key, comparison.comparator, comparison.value, dialect)
        case Entity.METRIC | Entity.PARAM | Entity.DATASET as entity:
            raise AssertionError(f"the grammar has no {entity.value}")


def _has_tag(key: str, comparator: Comparator, value: Value, dialect: str) -> ColumnElement[bool]:
    tag = registered_model_tags.c
    return exists().where(
        tag.workspace == registered_models.c.workspace,
        tag.name == registered_models.c.name,
        text_equals(tag.key, key, dialect),
        text_matches(tag.value, comparator, value, dialect),
    )


def _total(orderings: tuple[Ordering, ...]) -> tuple[Ordering, ...]:
    if any(ordering.identifier == _NAME for ordering in orderings):
        return orderings
    return (*orderings, Ordering(identifier=_NAME))


def _sort_key(ordering: Ordering) -> SortKey:
    if ordering.identifier == _NAME:
        return SortKey(column=registered_models.c.name, kind=str, descending=ordering.descending)
    return SortKey(
        column=registered_models.c.last_updated_time, kind=int, descending=ordering.descending, is_nullable=True
    )
