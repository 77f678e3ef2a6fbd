"""Filters as hypothesis makes them: a tree of any comparisons that a grammar has, and the text that means it."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from hypothesis import strategies as st

from tracking_server.search.grammars import Family, Grammar, Operand, Rule
from tracking_server.search.parser import MAX_DEPTH
from tracking_server.search.tree import (
    And,
    Comparator,
    Comparison,
    Filter,
    Identifier,
    Not,
    Or,
    Scalar,
    Value,
)

# No text of the language holds both kinds of quotes, and a backslash before the last quote would swallow that.
_VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='\x00"\\'))
_KEYS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00`"), min_size=1)
_INT64 = st.integers(-(2**63), 2**63 - 1)


def trees(grammar: Grammar, comparisons: st.SearchStrategy[Comparison] | None = None) -> st.SearchStrategy[Filter]:
    """Without `comparisons`, of all that the grammar has; the tree of an empty filter is among them."""
    leaves: st.SearchStrategy[Filter] = comparisons_in(grammar) if comparisons is None else comparisons
    branching = st.recursive(leaves, _joined, max_leaves=12).filter(lambda tree: _depth(tree) <= MAX_DEPTH)
    return st.just(And(parts=())) | branching


def _joined(parts: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    several = st.lists(parts, min_size=2, max_size=4).map(tuple)
    return (
        several.map(lambda parts: And(parts=parts))
        | several.map(lambda parts: Or(parts=parts))
        | parts.map(lambda part: Not(part=part))
    )


def comparisons_in(grammar: Grammar) -> st.SearchStrategy[Comparison]:
    return st.sampled_from(list(_rules(grammar))).flatmap(lambda choice: _comparisons(*choice))


def _rules(grammar: Grammar) -> Iterator[tuple[Family, str | None, Rule]]:
    """The families, with each of the names of those that have names."""
    for family in grammar.families:
        if isinstance(family.rule, Rule):
            yield family, None, family.rule
        else:
            yield from ((family, name, rule) for name, rule in family.rule.items())


def _comparisons(family: Family, name: str | None, rule: Rule) -> st.SearchStrategy[Comparison]:
    keys = st.just(name) if name is not None else _KEYS
    return st.sampled_from(sorted(rule.comparators)).flatmap(
        lambda comparator: st.builds(
            Comparison,
            identifier=st.builds(Identifier, entity=st.just(family.entity), key=keys),
            comparator=st.just(comparator),
            value=_values(rule.operand, comparator),
        )
    )


def _values(operand: Operand, comparator: Comparator) -> st.SearchStrategy[Value]:
    match comparator:
        case Comparator.IS_NULL | Comparator.IS_NOT_NULL:
            return st.none()
        case Comparator.IN | Comparator.NOT_IN:
            return st.lists(_scalars(operand), min_size=1, max_size=4).map(tuple)
        case _:
            return _scalars(operand)


def _scalars(operand: Operand) -> st.SearchStrategy[Scalar]:
    match operand:
        case Operand.TEXT | Operand.TEXT_OR_WORD:
            return _VALUES
        case Operand.NUMBER:
            return _INT64 | st.floats(allow_nan=False)
        case Operand.INTEGER | Operand.QUOTED_INTEGER | Operand.ANY_INTEGER:
            return _INT64
        case _:
            assert_never(operand)


def _depth(tree: Filter) -> int:
    match tree:
        case Comparison():
            return 0
        case Not(part=part):
            return 1 + _depth(part)
        case And(parts=parts) | Or(parts=parts):
            return 1 + max(map(_depth, parts), default=0)
        case _:
            assert_never(tree)


def written(tree: Filter, grammar: Grammar) -> str:
    """Its text, with no more parentheses than it needs."""
    match tree:
        case Comparison():
            return _comparison(tree, grammar)
        case Not(part=And() | Or() as part):
            return f"NOT ({written(part, grammar)})"
        case Not(part=part):
            return f"NOT {written(part, grammar)}"
        case And(parts=parts):
            return " AND ".join(_part(part, grammar, And, Or) for part in parts)
        case Or(parts=parts):
            return " OR ".join(_part(part, grammar, Or) for part in parts)
        case _:
            assert_never(tree)


def _part(tree: Filter, grammar: Grammar, *in_parentheses: type[Filter]) -> str:
    text = written(tree, grammar)
    return f"({text})" if isinstance(tree, in_parentheses) else text


def _comparison(comparison: Comparison, grammar: Grammar) -> str:
    identifier, comparator, value = comparison.identifier, comparison.comparator, comparison.value
    family = next(family for family in grammar.families if family.entity is identifier.entity)
    key = identifier.key if isinstance(family.rule, dict) else f"`{identifier.key}`"
    name = f"{family.prefixes[0]}.{key}" if family.needs_prefix else key
    rule = family.rule if isinstance(family.rule, Rule) else family.rule[identifier.key]
    match value:
        case None:
            return f"{name} {comparator}"
        case tuple():
            return f"{name} {comparator} ({_literals(value, rule)})"
        case _:
            return f"{name} {comparator} {_literals([value], rule)}"


def _literals(values: Sequence[Scalar], rule: Rule) -> str:
    is_quoted = rule.operand in {Operand.TEXT, Operand.TEXT_OR_WORD, Operand.QUOTED_INTEGER}
    return ", ".join(f'"{value}"' if is_quoted else repr(value).replace("inf", "1e999") for value in values)
