"""Prompts live among the registered models: what a search shows of them, and when.

A search shows prompts only when its filter speaks of the tag that makes them. Of that tag, other than of any,
`!= 'true'` and `= 'false'` hold for what does not have it: MLflow's client asks so for models.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import ColumnElement, true

from tracking_server.entities.tags import IS_PROMPT_TAG
from tracking_server.search.tree import Comparator, Comparison, Entity, Filter, comparisons_of

_MARK: Final = "true"
_ASKS_FOR_OTHERS: Final = frozenset({(Comparator.NOT_EQUAL, _MARK), (Comparator.EQUAL, "false")})


def prompts_hidden(tree: Filter, is_prompt: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition that a search without a word on prompts has besides its filter."""
    return true() if any(map(_is_about_prompts, comparisons_of(tree))) else ~is_prompt


def with_prompt_rule(
    holds: Callable[[Comparison], ColumnElement[bool]], is_prompt: ColumnElement[bool]
) -> Callable[[Comparison], ColumnElement[bool]]:
    """`holds`, but for comparisons that ask for what is no prompt."""

    def holds_by_the_rule(comparison: Comparison) -> ColumnElement[bool]:
        if _is_about_prompts(comparison) and (comparison.comparator, comparison.value) in _ASKS_FOR_OTHERS:
            return ~is_prompt
        return holds(comparison)

    return holds_by_the_rule


def _is_about_prompts(comparison: Comparison) -> bool:
    return comparison.identifier.entity is Entity.TAG and comparison.identifier.key == IS_PROMPT_TAG
