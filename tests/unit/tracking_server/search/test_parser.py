"""The language: each row of its tables accepted and refused, and no text that makes the parser stumble."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.filters import trees, written
from tracking_server.errors import InvalidParameter
from tracking_server.search import grammars
from tracking_server.search.grammars import EXPERIMENTS, RUNS, Grammar
from tracking_server.search.lexer import MAX_CHARACTERS
from tracking_server.search.parser import MAX_COMPARISONS, MAX_DEPTH, MAX_ORDERINGS, parse_filter, parse_order_by
from tracking_server.search.tree import (
    And,
    Comparator,
    Comparison,
    Entity,
    Filter,
    Identifier,
    Not,
    Or,
    Ordering,
    Value,
    comparisons_of,
)

GRAMMARS = [
    grammar for name, grammar in vars(grammars).items() if isinstance(grammar, Grammar) and not name.endswith("_ORDERS")
]

ORDER = ["=", "!=", ">", ">=", "<", "<="]
PATTERNS = ["=", "!=", "LIKE", "ILIKE"]
LISTS = ["IN", "NOT IN"]
PRESENCE = ["IS NULL", "IS NOT NULL"]
EVERY = [comparator.value for comparator in Comparator]
LITERALS = {"number": "5", "text": "'5'", "list": "('5')", "nothing": ""}


def comparisons(text: str, grammar: Grammar = RUNS) -> list[tuple[Entity, str, str, Value]]:
    """Of a filter that only AND joins."""
    tree = parse_filter(text, grammar)
    parts = tree.parts if isinstance(tree, And) else (tree,)
    found: list[tuple[Entity, str, str, Value]] = []
    for part in parts:
        assert isinstance(part, Comparison)
        found.append((part.identifier.entity, part.identifier.key, part.comparator.value, part.value))
    return found


def refusal(text: str, grammar: Grammar = RUNS) -> str:
    with pytest.raises(InvalidParameter) as caught:
        parse_filter(text, grammar)
    return caught.value.message


ROWS = [
    pytest.param(RUNS, "metric.a", Entity.METRIC, "a", ORDER, "number", id="runs: metric."),
    pytest.param(RUNS, "metrics.a", Entity.METRIC, "a", ORDER, "number", id="runs: metrics."),
    *(
        pytest.param(RUNS, f"{prefix}.a", Entity.PARAM, "a", PATTERNS + PRESENCE, "text", id=f"runs: {prefix}.")
        for prefix in ("param", "params", "parameter", "parameters")
    ),
    pytest.param(RUNS, "tag.a", Entity.TAG, "a", PATTERNS + PRESENCE, "text", id="runs: tag."),
    pytest.param(RUNS, "tags.a", Entity.TAG, "a", PATTERNS + PRESENCE, "text", id="runs: tags."),
    *(
        pytest.param(
            RUNS, f"{prefix}{name}", Entity.ATTRIBUTE, name, comparators, kind, id=f"runs: attribute {prefix}{name}"
        )
        for prefix in ("", "attribute.", "attributes.", "attr.", "run.")
        for names, comparators, kind in (
            (("run_name", "user_id", "status", "artifact_uri"), PATTERNS, "text"),
            (("run_id",), PATTERNS + LISTS, "text"),
            (("start_time", "end_time"), ORDER, "number"),
        )
        for name in names
    ),
    *(
        pytest.param(
            RUNS, f"{prefix}.{name}", Entity.DATASET, name, PATTERNS + LISTS, "text", id=f"runs: {prefix}.{name}"
        )
        for prefix in ("dataset", "datasets")
        for name in ("name", "digest", "context")
    ),
    *(
        pytest.param(
            EXPERIMENTS, f"{prefix}{name}", Entity.ATTRIBUTE, name, comparators, kind, id=f"experiments: {prefix}{name}"
        )
        for prefix in ("", "attribute.")
        for name, comparators, kind in (
            ("name", PATTERNS, "text"),
            ("experiment_id", ["=", "!=", *LISTS], "text"),
            ("creation_time", ORDER, "number"),
            ("last_update_time", ORDER, "number"),
        )
    ),
    pytest.param(EXPERIMENTS, "tag.a", Entity.TAG, "a", PATTERNS + PRESENCE, "text", id="experiments: tag."),
    pytest.param(EXPERIMENTS, "tags.a", Entity.TAG, "a", PATTERNS + PRESENCE, "text", id="experiments: tags."),
]


@pytest.mark.parametrize(("grammar", "written", "entity", "key", "allowed", "kind"), ROWS)
def test_an_identifier_takes_its_comparators_with_its_literal_and_nothing_else(
    grammar: Grammar, written: str, entity: Entity, key: str, allowed: list[str], kind: str
) -> None:
    for comparator in EVERY:
        right = "list" if comparator in LISTS else "nothing" if comparator in PRESENCE else kind
        for literal_kind, literal in LITERALS.items():
            text = f"{written} {comparator} {literal}"
            if comparator in allowed and literal_kind == right:
                [found] = comparisons(text, grammar)
                assert found[:3] == (entity, key, comparator)
            else:
                refusal(text, grammar)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("metrics.a.b > 1", (Entity.METRIC, "a.b", ">", 1), id="dots in a bare key"),
        pytest.param("metrics.`a b/c` > 1", (Entity.METRIC, "a b/c", ">", 1), id="backticks"),
        pytest.param("metrics.'a b' > 1", (Entity.METRIC, "a b", ">", 1), id="single quotes"),
        pytest.param('metrics."a.b" > 1', (Entity.METRIC, "a.b", ">", 1), id="double quotes"),
        pytest.param("`metrics`.a > 1", (Entity.METRIC, "a", ">", 1), id="prefix in backticks"),
        pytest.param("metrics.1a>1", (Entity.METRIC, "1a", ">", 1), id="key that starts with a digit, no blanks"),
        pytest.param("params.ключ = 'значение'", (Entity.PARAM, "ключ", "=", "значение"), id="other alphabets"),
        pytest.param("params.AND = 'x'", (Entity.PARAM, "AND", "=", "x"), id="keyword as a key"),
        pytest.param("params.in LIKE 'x'", (Entity.PARAM, "in", "LIKE", "x"), id="another keyword as a key"),
        pytest.param("created > 1", (Entity.ATTRIBUTE, "start_time", ">", 1), id="alias created"),
        pytest.param("attributes.Created > 1", (Entity.ATTRIBUTE, "start_time", ">", 1), id="alias Created"),
        pytest.param("`Run name` = 'x'", (Entity.ATTRIBUTE, "run_name", "=", "x"), id="alias in backticks"),
        pytest.param('"run name" = "x"', (Entity.ATTRIBUTE, "run_name", "=", "x"), id="alias in double quotes"),
        pytest.param("attr.'Run Name' = 'x'", (Entity.ATTRIBUTE, "run_name", "=", "x"), id="alias behind a prefix"),
        pytest.param("params.a like 'x%'", (Entity.PARAM, "a", "LIKE", "x%"), id="like in lower case"),
        pytest.param("params.a iLike 'x%'", (Entity.PARAM, "a", "ILIKE", "x%"), id="iLike in mixed case"),
        pytest.param("params.a is  not\nnull", (Entity.PARAM, "a", "IS NOT NULL", None), id="is not null"),
        pytest.param("run_id not in ('a', \"b\")", (Entity.ATTRIBUTE, "run_id", "NOT IN", ("a", "b")), id="not in"),
        pytest.param("run_id IN ('a',)", (Entity.ATTRIBUTE, "run_id", "IN", ("a",)), id="tuple of one"),
        pytest.param("params.a = 'it''s'", (Entity.PARAM, "a", "=", "it''s"), id="doubled quote stays doubled"),
        pytest.param("params.a = 'it\\'s'", (Entity.PARAM, "a", "=", "it\\'s"), id="backslash stays"),
        pytest.param("params.a = 'C:\\'", (Entity.PARAM, "a", "=", "C:\\"), id="backslash before the end"),
        pytest.param('params.a = "it\'s"', (Entity.PARAM, "a", "=", "it's"), id="other quote inside"),
        pytest.param("params.a = ''", (Entity.PARAM, "a", "=", ""), id="empty text"),
        pytest.param("metrics.a > -.5e-3", (Entity.METRIC, "a", ">", -0.0005), id="exponent"),
        pytest.param("metrics.a > 5.", (Entity.METRIC, "a", ">", 5.0), id="trailing point"),
        pytest.param("metrics.a = 1e999", (Entity.METRIC, "a", "=", math.inf), id="infinity"),
        pytest.param("metrics.a = -1e999", (Entity.METRIC, "a", "=", -math.inf), id="-infinity"),
        pytest.param("start_time > 1.5", (Entity.ATTRIBUTE, "start_time", ">", 1.5), id="time with a fraction"),
        pytest.param(f"start_time < {2**63}", (Entity.ATTRIBUTE, "start_time", "<", 2.0**63), id="beyond 64 bits"),
    ],
)
def test_one_comparison(text: str, expected: tuple[Entity, str, str, Value]) -> None:
    assert comparisons(text) == [expected]


def test_experiment_ids_are_numbers_behind_quotes() -> None:
    assert comparisons("experiment_id IN ('1', '02')", EXPERIMENTS) == [
        (Entity.ATTRIBUTE, "experiment_id", "IN", (1, 2))
    ]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param(" \n", [], id="blanks"),
        pytest.param("AND", [], id="nothing joined"),
        pytest.param("params.a = 'x' AND params.b = 'y'", ["a", "b"], id="and"),
        pytest.param("params.a='x'and params.b='y'aNd params.c='z'", ["a", "b", "c"], id="no blanks, any case"),
        pytest.param("params.a = 'x' params.b = 'y'", ["a", "b"], id="missing and"),
        pytest.param("AND params.a = 'x' AND", ["a"], id="leading and trailing and"),
        pytest.param("params.a IS NULL AND AND params.b = 'y'", ["a", "b"], id="doubled and"),
    ],
)
def test_comparisons_are_joined_by_and(text: str, keys: list[str]) -> None:
    assert [key for _, key, _, _ in comparisons(text)] == keys


def has(key: str) -> Comparison:
    identifier = Identifier(entity=Entity.PARAM, key=key)
    return Comparison(identifier=identifier, comparator=Comparator.EQUAL, value="x")


A, B, C, D = (has(key) for key in "abcd")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        pytest.param("a OR b", Or(parts=(A, B)), id="or"),
        pytest.param("a or b oR c", Or(parts=(A, B, C)), id="or of three, any case"),
        pytest.param("a AND b OR c AND d", Or(parts=(And(parts=(A, B)), And(parts=(C, D)))), id="and binds closer"),
        pytest.param("a OR b c", Or(parts=(A, And(parts=(B, C)))), id="a missing and binds closer too"),
        pytest.param("(a OR b) AND c", And(parts=(Or(parts=(A, B)), C)), id="parentheses"),
        pytest.param("(a)(b)", And(parts=(A, B)), id="missing and between parentheses"),
        pytest.param("((a))", A, id="parentheses that do nothing"),
        pytest.param("a AND (b AND c)", And(parts=(A, And(parts=(B, C)))), id="and in parentheses"),
        pytest.param("NOT a", Not(part=A), id="not"),
        pytest.param("not not a", Not(part=Not(part=A)), id="not not"),
        pytest.param("NOT a AND b", And(parts=(Not(part=A), B)), id="not binds closest"),
        pytest.param("a NOT b", And(parts=(A, Not(part=B))), id="missing and before not"),
        pytest.param("NOT(a OR b)", Not(part=Or(parts=(A, B))), id="not of parentheses"),
        pytest.param("AND a OR b AND AND", Or(parts=(A, B)), id="leading and trailing and"),
        pytest.param("(a AND AND b)", And(parts=(A, B)), id="doubled and"),
    ],
)
@pytest.mark.parametrize("grammar", [grammar for grammar in GRAMMARS if grammar.noun in {"runs", "logged models"}])
def test_more_than_and(grammar: Grammar, text: str, tree: Filter) -> None:
    for key in "abcd":
        text = re.sub(rf"\b{key}\b", f"params.{key}='x'", text)
    assert parse_filter(text, grammar) == tree
    assert {part.identifier.key for part in comparisons_of(tree)} == set(re.findall(r"params\.(\w)", text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("params.or = 'x'", (Entity.PARAM, "or", "=", "x"), id="or is a key"),
        pytest.param("tags.not = 'x'", (Entity.TAG, "not", "=", "x"), id="not is a key"),
        pytest.param("tags.NOT IS NULL", (Entity.TAG, "NOT", "IS NULL", None), id="NOT is a key"),
        pytest.param("tags.`a OR b` = 'x'", (Entity.TAG, "a OR b", "=", "x"), id="a key holds OR"),
        pytest.param("tags.`(a)` = 'x'", (Entity.TAG, "(a)", "=", "x"), id="a key holds parentheses"),
        pytest.param("params.a = 'x OR (NOT y)'", (Entity.PARAM, "a", "=", "x OR (NOT y)"), id="a value holds all"),
        pytest.param("params.a = ' AND '", (Entity.PARAM, "a", "=", " AND "), id="a value is a keyword"),
        pytest.param("run_id NOT IN ('or', 'not')", (Entity.ATTRIBUTE, "run_id", "NOT IN", ("or", "not")), id="list"),
    ],
)
def test_words_are_keywords_only_where_they_join(text: str, expected: tuple[Entity, str, str, Value]) -> None:
    assert comparisons(text) == [expected]
    assert parse_filter(f"NOT ({text})", RUNS) == Not(part=parse_filter(text, RUNS))


@pytest.mark.parametrize("grammar", GRAMMARS, ids=lambda grammar: grammar.noun)
@given(data=st.data())
def test_a_tree_is_what_its_text_says(grammar: Grammar, data: st.DataObject) -> None:
    tree = data.draw(trees(grammar))
    assert parse_filter(written(tree, grammar), grammar) == tree


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("params.a = 'x' OR", ["found the end", "identifier"], id="nothing behind or"),
        pytest.param("OR params.a = 'x'", ["character 1 ", "`OR`"], id="nothing before or"),
        pytest.param("params.a='x' OR OR params.b='y'", ["character 17", "`OR`"], id="doubled or"),
        pytest.param("params.a='x' AND OR params.b='y'", ["character 18", "`OR`"], id="and before or"),
        pytest.param("params.a='x' OR AND params.b='y'", ["character 17", "`AND`"], id="and behind or"),
        pytest.param("NOT", ["found the end", "identifier"], id="nothing behind not"),
        pytest.param("NOT AND params.a='x'", ["character 5 ", "`AND`"], id="and behind not"),
        pytest.param("()", ["character 2 ", "`)`"], id="empty parentheses"),
        pytest.param("(AND params.a='x')", ["character 2 ", "`AND`"], id="and behind a parenthesis"),
        pytest.param("(params.a='x' AND)", ["character 18", "`)`"], id="and before a parenthesis"),
        pytest.param("(params.a = 'x'", ["found the end", "ends with )"], id="open parenthesis"),
        pytest.param("params.a = 'x')", ["character 15", "`)`", "no parenthesis is open"], id="closing parenthesis"),
        pytest.param("(params.a) = 'x'", ["character 10", "`)`"], id="parentheses around an identifier"),
        pytest.param("params.a = ('x')", ["character 12", "`(`"], id="parentheses around a value"),
        pytest.param("params.a OR params.b = 'x'", ["character 10", "`OR`"], id="or instead of a comparator"),
        pytest.param("status = 'x';", ["character 13", "`;`"], id="semicolon"),
        pytest.param("params.a='x', params.b='y'", ["character 13", "`,`"], id="comma"),
        pytest.param("start_time BETWEEN 1 AND 2", ["character 12", "`BETWEEN`", "=, !=, >, >=, <, <="], id="between"),
        pytest.param("metrics.a == 1", ["character 11", "`==`", "=, !=, >, >=, <, <="], id="two equals signs"),
        pytest.param("metrics.a <> 1", ["character 11", "`<>`"], id="less or greater"),
        pytest.param("metrics.a = '1'", ["character 13", "'1'", "unquoted number"], id="quoted number"),
        pytest.param("metrics.a = nan", ["character 13", "`nan`", "unquoted number"], id="nan"),
        pytest.param("metrics.a = Infinity", ["character 13", "`Infinity`"], id="infinity by name"),
        pytest.param("metrics.a = 0x10", ["character 13", "`0x10`"], id="hexadecimal"),
        pytest.param("metrics.a = +1", ["character 13", "`+`"], id="plus sign"),
        pytest.param("metrics.a = 1 2", ["character 15", "`2`"], id="two numbers"),
        pytest.param("metrics.a-b = 1", ["character 10", "`-`", "backticks"], id="key that needs quotes"),
        pytest.param("metrics. a = 1", ["character 1 ", "`metrics.`", "key"], id="key apart from its prefix"),
        pytest.param("metrics.`` = 1", ["character 1 ", "key"], id="empty key"),
        pytest.param("Metrics.a = 1", ["`Metrics.a`", "metrics.<key>"], id="prefix in another case"),
        pytest.param("traces.a = 1", ["`traces.a`", "metrics.<key>, params.<key>"], id="unknown prefix"),
        pytest.param("params.a = x", ["character 12", "`x`", "quoted text"], id="bare word"),
        pytest.param("params.a = `x`", ["character 12", "quoted text"], id="value in backticks"),
        pytest.param("params.a IN ('x')", ["character 10", "`IN`"], id="list for a param"),
        pytest.param("params.a NOT LIKE 'x'", ["character 10", "`NOT`"], id="not like"),
        pytest.param("params.a", ["found the end", "LIKE"], id="nothing compared"),
        pytest.param("params.a =", ["found the end", "quoted text"], id="no value"),
        pytest.param("params.a = 'x", ["character 12", "closing '"], id="open quotes"),
        pytest.param("params.`a = 'x'", ["character 8", "closing `"], id="open backticks"),
        pytest.param("'x' = params.a", ["character 1 ", "identifier"], id="literal on the left"),
        pytest.param("5 = metrics.a", ["character 1 ", "identifier"], id="number on the left"),
        pytest.param("run_id IN ()", ["character 12", "`)`"], id="empty list"),
        pytest.param("run_id IN ('a' 'b')", ["character 16", "comma"], id="list without commas"),
        pytest.param("run_id IN 'a'", ["character 11", "parentheses"], id="no list"),
        pytest.param("run_id IN ('a'", ["found the end", "comma"], id="open list"),
        pytest.param("run_id IN (5)", ["character 12", "quoted text"], id="list of numbers"),
        pytest.param("experiment_id = '1'", ["`experiment_id`", "run_id"], id="attribute that is not searchable"),
        pytest.param("lifecycle_stage = 'active'", ["`lifecycle_stage`"], id="lifecycle_stage"),
        pytest.param("datasets.source = 'x'", ["`datasets.source`", "datasets.digest"], id="unknown dataset field"),
        pytest.param("status = 'a' -- b", ["character 14", "`-`"], id="comment"),
        pytest.param("params.a = 'x' garbage", ["character 16", "`garbage`"], id="trailing word"),
        pytest.param("params.a = '\x00'", ["character 13", "U+0000"], id="NUL"),
        pytest.param("params.a = '\ud800'", ["character 13", "U+D800"], id="half a surrogate pair"),
    ],
)
def test_a_refusal_says_what_was_found_and_where_and_what_may_stand_there(text: str, parts: list[str]) -> None:
    message = refusal(text)
    assert message.startswith("Invalid filter: at character ")
    assert [part for part in parts if part not in message] == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("attributes.name = 'x'", id="attributes."),
        pytest.param("attr.name = 'x'", id="attr."),
        pytest.param("params.a = 'x'", id="params."),
        pytest.param("creation_time > 1.5", id="fraction"),
        pytest.param("creation_time > 1e3", id="exponent"),
        pytest.param(f"creation_time > {2**63}", id="beyond 64 bits"),
        pytest.param("experiment_id = 'a'", id="id that is not a number"),
        pytest.param("experiment_id IN ('1', 'a')", id="id in a list that is not a number"),
        pytest.param("experiment_id = '99999999999999999999'", id="id beyond 64 bits"),
        pytest.param("artifact_location = 'x'", id="attribute that is not searchable"),
    ],
)
def test_experiments_refuse_what_runs_allow(text: str) -> None:
    refusal(text, EXPERIMENTS)


def test_a_text_has_a_bounded_length() -> None:
    longest = "params.a = '" + "x" * (MAX_CHARACTERS - 13) + "'"
    assert len(comparisons(longest)) == 1
    assert str(MAX_CHARACTERS) in refusal(longest + " ")


@pytest.mark.parametrize("joined_by", [" ", " AND ", " OR ", " OR NOT "])
def test_a_filter_has_a_bounded_number_of_comparisons(joined_by: str) -> None:
    tree = parse_filter(joined_by.join(["params.a = 'x'"] * MAX_COMPARISONS), RUNS)
    assert len(list(comparisons_of(tree))) == MAX_COMPARISONS
    assert str(MAX_COMPARISONS) in refusal(joined_by.join(["params.a = 'x'"] * (MAX_COMPARISONS + 1)))


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("NOT ", ""), ("NOT(", ")")])
def test_a_filter_has_a_bounded_depth(opening: str, closing: str) -> None:
    times = MAX_DEPTH // len(opening.replace("NOT", "!").strip())
    assert list(comparisons_of(parse_filter(opening * times + "params.a = 'x'" + closing * times, RUNS))) == [A]
    assert f"{MAX_DEPTH} deep" in refusal(opening * (times + 1) + "params.a = 'x'" + closing * (times + 1))
    assert f"{MAX_DEPTH} deep" in refusal(opening * 10_000)


def test_a_long_text_is_not_repeated_in_the_message() -> None:
    assert len(refusal("params." + "x" * 10_000)) < 300


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param("start_time", (Entity.ATTRIBUTE, "start_time", False), id="attribute"),
        pytest.param("start_time ASC", (Entity.ATTRIBUTE, "start_time", False), id="ascending"),
        pytest.param(" start_time  dEsC ", (Entity.ATTRIBUTE, "start_time", True), id="any case, blanks around"),
        pytest.param("attribute.run_id DESC", (Entity.ATTRIBUTE, "run_id", True), id="attribute with a prefix"),
        pytest.param("Created", (Entity.ATTRIBUTE, "start_time", False), id="alias"),
        pytest.param("metrics.a.b desc", (Entity.METRIC, "a.b", True), id="metric"),
        pytest.param("metric.`a b`", (Entity.METRIC, "a b", False), id="metric in backticks"),
        pytest.param("params.desc DESC", (Entity.PARAM, "desc", True), id="key that is a keyword"),
        pytest.param("tags.'x y'desc", (Entity.TAG, "x y", True), id="tag, no blank"),
    ],
)
def test_ordering(item: str, expected: tuple[Entity, str, bool]) -> None:
    entity, key, descending = expected
    assert parse_order_by([item], RUNS) == (
        Ordering(identifier=Identifier(entity=entity, key=key), descending=descending),
    )


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([""], id="empty"),
        pytest.param(["start_time, run_id"], id="two keys in one item"),
        pytest.param(["start_time NULLS LAST"], id="nulls last"),
        pytest.param(["start_time ASC DESC"], id="both directions"),
        pytest.param(["ASC"], id="only a direction"),
        pytest.param(["metrics.a-b"], id="key that needs quotes"),
        pytest.param(["datasets.name"], id="dataset"),
        pytest.param(["foo.bar"], id="unknown prefix"),
        pytest.param(["experiment_id"], id="not orderable"),
        pytest.param(["start_time", "run_id", "Created DESC"], id="the same twice"),
        pytest.param([f"metrics.a{index}" for index in range(MAX_ORDERINGS + 1)], id="too many"),
    ],
)
def test_orderings_that_are_refused(items: list[str]) -> None:
    with pytest.raises(InvalidParameter, match="order_by"):
        parse_order_by(items, RUNS)


def test_experiments_are_ordered_by_attributes_only() -> None:
    assert len(parse_order_by(["name", "experiment_id DESC", "attribute.creation_time"], EXPERIMENTS)) == 3
    with pytest.raises(InvalidParameter):
        parse_order_by(["tags.a"], EXPERIMENTS)


PIECES = st.sampled_from(
    ["metrics.", "params.a", "run_id", "start_time", "'x'", "AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE"]
)
SIGNS = st.sampled_from(list("aé5.-=!<>(),;`'\"\\ \n\x00\ud800"))


@given(
    st.text() | st.lists(PIECES | SIGNS, max_size=30).map(" ".join) | st.lists(PIECES | SIGNS, max_size=30).map("".join)
)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for grammar in GRAMMARS:
        for parse in (lambda: parse_filter(text, grammar), lambda: parse_order_by([text], grammar)):  # noqa: B023 - called at once
            try:
                parse()
            except InvalidParameter as error:
                assert "at character" in error.message  # noqa: PT017 - not raising is fine too


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00`"), min_size=1))
def test_every_key_can_be_written_in_backticks(key: str) -> None:
    [(_, found, _, _)] = comparisons(f"params.`{key}` IS NULL")
    assert found == key


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00'\\")))
def test_every_text_without_quotes_is_a_value(value: str) -> None:
    assert comparisons(f"params.a = '{value}'") == [(Entity.PARAM, "a", "=", value)]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_python_writes_is_read(number: float) -> None:
    [(_, _, _, value)] = comparisons(f"metrics.a = {number!r}")
    assert value == number
