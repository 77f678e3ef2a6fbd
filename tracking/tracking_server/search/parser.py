"""Tokens to trees, by the rules of a grammar.

Everything refused is InvalidParameter, whose message says what was found, where, and what may stand there.
"""

import re
from collections.abc import Callable, Sequence

from tracking_server.errors import InvalidParameter
from tracking_server.search.grammars import Family, Grammar, Operand, Rule
from tracking_server.search.lexer import End, Name, Number, Quoted, Source, Symbol, Token, describe, excerpt, tokens_of
from tracking_server.search.tree import (
    And,
    Comparator,
    Comparison,
    Filter,
    Identifier,
    Not,
    Or,
    Ordering,
    Scalar,
    Value,
)

MAX_COMPARISONS = 200
"""Each becomes a subquery, and databases limit how deep an expression may be."""

MAX_DEPTH = 16
"""Of NOT and parentheses inside each other: the stack of SQLite's parser has 100 places."""

MAX_ORDERINGS = 20

_INT64 = range(-(2**63), 2**63)
_JOINTS = frozenset({"AND", "OR", "NOT"})
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")


def parse_filter(text: str, grammar: Grammar) -> Filter:
    """AND binds closer than OR, NOT closer than both; MLflow's server knows AND alone.

    An AND that is missing, doubled, first or last is tolerated, as by MLflow's server.
    """
    return _Parser(Source(text=text, title="filter"), grammar).filter()


def parse_order_by(items: Sequence[str], grammar: Grammar) -> tuple[Ordering, ...]:
    check_orderings(items)
    orderings: dict[Identifier, Ordering] = {}
    for index, item in enumerate(items):
        source = Source(text=item, title=f"order_by[{index}]")
        ordering = _Parser(source, grammar).ordering()
        if ordering.identifier in orderings and not grammar.repeats_orders:
            raise source.refusal(0, excerpt(item), "an item before it orders by the same")
        orderings.setdefault(ordering.identifier, ordering)
    return tuple(orderings.values())


def check_orderings(items: Sequence[object]) -> None:
    if len(items) > MAX_ORDERINGS:
        raise InvalidParameter(f"Invalid order_by: found {len(items)} items; there may be {MAX_ORDERINGS}.")


class _Parser:
    """Reads one text from its first token to its last."""

    def __init__(self, source: Source, grammar: Grammar) -> None:
        self._source = source
        self._grammar = grammar
        self._tokens = tokens_of(source)
        self._index = 0
        self._comparisons = 0
        self._depth = 0

    def filter(self) -> Filter:
        self._skip_ands()
        if self._is_at_end():
            return And(parts=())
        tree = self._disjunction()
        if not self._is_at_end():
            raise self._refusal("no parenthesis is open here")
        return tree

    def ordering(self) -> Ordering:
        identifier, _ = self._identifier([family for family in self._grammar.families if family.orders])
        descending = self._skip_keyword("DESC")
        if not descending:
            self._skip_keyword("ASC")
        if not self._is_at_end():
            raise self._refusal("an item is one identifier, which ASC or DESC may follow")
        return Ordering(identifier=identifier, descending=descending)

    # Steps

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _is_at_end(self) -> bool:
        return isinstance(self._token, End)

    def _refusal(self, wanted: str) -> InvalidParameter:
        return self._source.refusal(self._token.start, describe(self._token), wanted)

    def _skip_keyword(self, *words: str) -> bool:
        """Whether these words come next; then they are behind us."""
        ahead = self._tokens[self._index : self._index + len(words)]
        if len(ahead) < len(words) or any(_keyword(token) != word for token, word in zip(ahead, words, strict=True)):
            return False
        self._index += len(words)
        return True

    def _skip_ands(self) -> bool:
        start = self._index
        while self._skip_keyword("AND"):
            pass
        return self._index > start

    def _is_symbol(self, text: str) -> bool:
        return isinstance(self._token, Symbol) and self._token.text == text

    def _skip_symbol(self, text: str) -> bool:
        if not self._is_symbol(text):
            return False
        self._index += 1
        return True

    # What joins comparisons

    def _disjunction(self) -> Filter:
        parts = [self._conjunction()]
        while self._skip_keyword("OR"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else Or(parts=tuple(parts))

    def _conjunction(self) -> Filter:
        parts = [self._term()]
        while not self._conjunction_ends():
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else And(parts=tuple(parts))

    def _conjunction_ends(self) -> bool:
        """An AND before OR or a parenthesis is no slip that could be tolerated: something is missing there."""
        joined = self._skip_ands()
        if self._is_at_end():
            return True
        return not joined and (_keyword(self._token) == "OR" or self._is_symbol(")"))

    def _term(self) -> Filter:
        if self._skip_keyword("NOT"):
            return Not(part=self._nested(self._term))
        if self._skip_symbol("("):
            tree = self._nested(self._disjunction)
            if not self._skip_symbol(")"):
                raise self._refusal("the parenthesis that is open goes on with AND or OR, or ends with )")
            return tree
        return self._comparison()

    def _nested(self, parse: Callable[[], Filter]) -> Filter:
        if self._depth == MAX_DEPTH:
            raise self._refusal(f"NOT and parentheses may stand {MAX_DEPTH} deep inside each other")
        self._depth += 1
        tree = parse()
        self._depth -= 1
        return tree

    # Comparisons

    def _comparison(self) -> Comparison:
        if self._comparisons == MAX_COMPARISONS:
            raise self._refusal(f"a filter may have {MAX_COMPARISONS} comparisons")
        self._comparisons += 1
        start = self._index
        identifier, rule = self._identifier(self._grammar.families)
        written = self._tokens[start].text
        comparator = self._comparator(written, rule)
        return Comparison(
            identifier=identifier, comparator=comparator, value=self._value(written, rule.operand, comparator)
        )

    def _identifier(self, families: Sequence[Family]) -> tuple[Identifier, Rule]:
        match self._token:
            case Name(prefix=str() as prefix, key=key):
                family = next((family for family in families if prefix in family.prefixes), None)
            case Name(key=key):
                family = next((family for family in families if not family.needs_prefix), None)
            case Quoted(text=text, value=key) if text.startswith('"'):
                family = next((family for family in families if not family.needs_prefix), None)
            case Symbol(text="," | ";"):
                raise self._refusal("comparisons are joined by AND or OR, without commas or semicolons")
            case _:
                raise self._refusal(f"an identifier must stand here, one of {_identifiers(families)}")
        if family is None:
            raise self._refusal(f"an identifier of {self._grammar.noun} is one of {_identifiers(families)}")
        rule = family.rule
        if not isinstance(rule, Rule):
            key = family.aliases.get(key, key)
            if key not in rule:
                raise self._refusal(f"an identifier of {self._grammar.noun} is one of {_identifiers(families)}")
            rule = rule[key]
        self._index += 1
        return Identifier(entity=family.entity, key=key), rule

    def _comparator(self, written: str, rule: Rule) -> Comparator:
        for comparator in rule.comparators:
            if self._skip_symbol(comparator.value) or self._skip_keyword(*comparator.value.split()):
                return comparator
        allowed = ", ".join(comparator.value for comparator in Comparator if comparator in rule.comparators)
        raise self._refusal(f"{excerpt(written)} is compared by {allowed}")

    def _value(self, written: str, operand: Operand, comparator: Comparator) -> Value:
        match comparator:
            case Comparator.IS_NULL | Comparator.IS_NOT_NULL:
                return None
            case Comparator.IN | Comparator.NOT_IN:
                return self._list(written, operand)
            case _:
                return self._literal(written, operand)

    def _list(self, written: str, operand: Operand) -> tuple[Scalar, ...]:
        """A comma behind the last is fine: Python writes a tuple of one so."""
        if not self._skip_symbol("("):
            raise self._refusal("IN is followed by a list in parentheses, such as ('1', '2')")
        values = [self._literal(written, operand)]
        while self._skip_symbol(",") and not self._is_symbol(")"):
            values.append(self._literal(written, operand))
        if not self._skip_symbol(")"):
            raise self._refusal("a list goes on with a comma or ends with )")
        return tuple(values)

    def _literal(self, written: str, operand: Operand) -> Scalar:
        match operand, self._token:
            case Operand.TEXT | Operand.TEXT_OR_WORD, Quoted(value=text):
                value: Scalar = text
            case Operand.TEXT_OR_WORD, Number(text=text) | Name(text=text) if _keyword(self._token) not in _JOINTS:
                value = text
            case Operand.QUOTED_INTEGER | Operand.ANY_INTEGER, Quoted(value=text) if (
                number := _int64(text)
            ) is not None:
                value = number
            case Operand.INTEGER | Operand.ANY_INTEGER, Number(text=text) if (number := _int64(text)) is not None:
                value = number
            case Operand.NUMBER, Number(text=text):
                number = _int64(text)
                value = float(text) if number is None else number
            case _:
                raise self._refusal(f"{excerpt(written)} is compared with {operand.value}")
        self._index += 1
        return value


def _keyword(token: Token) -> str:
    return token.keyword if isinstance(token, Name) else ""


def _int64(text: str) -> int | None:
    """The number, when it is written as an integer and a column can hold it."""
    if not _INTEGER.fullmatch(text):
        return None
    number = int(text)
    return number if number in _INT64 else None


def _identifiers(families: Sequence[Family]) -> str:
    """All that may stand as an identifier: `metrics.<key>, params.<key>, run_id, ...`."""
    return ", ".join(name for family in families for name in _names(family))


def _names(family: Family) -> Sequence[str]:
    prefix = f"{family.prefixes[0]}." if family.needs_prefix else ""
    match family.rule:
        case Rule():
            return [f"{prefix}<key>"]
        case names:
            return [f"{prefix}{name}" for name in names]
