"""Text of a filter or an order_by to tokens, each with its place. Knows nothing of grammars."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tracking_server.errors import InvalidParameter

MAX_CHARACTERS = 50_000
"""Room for a list of some 1,400 run ids, which people build; the work on a text is proportional to its length."""

EXCERPT_CHARACTERS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """A word, or a prefix and a key (`metrics.loss`, `` tags.`a b` ``). `is_bare` when nothing in it is quoted."""

    start: int
    text: str
    prefix: str | None
    key: str
    is_bare: bool

    @property
    def keyword(self) -> str:
        """The word in upper case, or nothing when it cannot be a keyword."""
        return self.key.upper() if self.prefix is None and self.is_bare else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quoted:
    """A literal in single or double quotes. `value` is what stands between them: nothing is unescaped."""

    start: int
    text: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    start: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Symbol:
    start: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    start: int
    text: str = ""


Token: TypeAlias = Name | Quoted | Number | Symbol | End


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A text and what it is called in messages (`filter`, `order_by[1]`)."""

    text: str
    title: str

    def refusal(self, start: int, found: str, wanted: str) -> InvalidParameter:
        return InvalidParameter(f"Invalid {self.title}: at character {start + 1} found {found}; {wanted}.")


_WORD = re.compile(r"[^\W\d]\w*+")
_KEY = re.compile(r"[\w.]++")
_NUMBER = re.compile(r"-?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?+")
_NUMBER_AND_MORE = re.compile(r"[+-]?[\w.]++")
_SYMBOL = re.compile(r"!=|>=|<=|<>|==|[=<>(),;]")
_BLANKS = re.compile(r"\s++")
_QUOTED = {
    "'": re.compile(r"'(?:''|\\'|[^'])*'"),
    '"': re.compile(r'"(?:""|\\"|[^"])*"'),
    "`": re.compile(r"`(?:``|[^`])*`"),
}
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def describe(token: Token) -> str:
    """What was found, for a message."""
    match token:
        case End():
            return "the end"
        case Quoted():
            return f"the quoted text {excerpt(token.text)}"
        case Number() | Name() | Symbol():
            return f"`{excerpt(token.text)}`"


def excerpt(text: str) -> str:
    return text if len(text) <= EXCERPT_CHARACTERS else f"{text[:EXCERPT_CHARACTERS]}..."


def tokens_of(source: Source) -> tuple[Token, ...]:
    """The tokens, an `End` last. Raises InvalidParameter for a text too long, or one that has no tokens."""
    length = len(source.text)
    if length > MAX_CHARACTERS:
        raise source.refusal(MAX_CHARACTERS, "more text", f"it has {length} characters, and may have {MAX_CHARACTERS}")
    if unstorable := _UNSTORABLE.search(source.text):
        raise source.refusal(unstorable.start(), f"U+{ord(unstorable[0]):04X}", "no stored text holds this character")
    return tuple(_tokens(source))


def _tokens(source: Source) -> Iterator[Token]:
    text, position = source.text, 0
    while position < len(text):
        if blanks := _BLANKS.match(text, position):
            position = blanks.end()
            continue
        token = _token(source, position)
        yield token
        position += len(token.text)
    yield End(start=len(text))


def _token(source: Source, start: int) -> Token:
    text = source.text
    character = text[start]
    if character in "'\"":
        end = _end_of_quotes(source, start)
        return Quoted(start=start, text=text[start:end], value=text[start + 1 : end - 1])
    if character == "`":
        end = _end_of_quotes(source, start)
        return _name(source, start, end, text[start + 1 : end - 1], is_bare=False)
    if word := _WORD.match(text, start):
        return _name(source, start, word.end(), word[0], is_bare=True)
    if number := _NUMBER.match(text, start):
        if longer := _NUMBER_AND_MORE.match(text, number.end()):
            found = f"`{excerpt(text[start : longer.end()])}`"
            raise source.refusal(
                start, found, "a number is written as 5, -0.5 or 1e-3, and nothing follows it directly"
            )
        return Number(start=start, text=number[0])
    if symbol := _SYMBOL.match(text, start):
        return Symbol(start=start, text=symbol[0])
    raise source.refusal(
        start, f"`{character}`", "a key that holds more than letters, digits, _ and . stands in backticks"
    )


def _name(source: Source, start: int, end: int, first: str, *, is_bare: bool) -> Name:
    """The name whose first part ends at `end`: that part alone, or the prefix of a key."""
    text = source.text
    if not text.startswith(".", end):
        return Name(start=start, text=text[start:end], prefix=None, key=first, is_bare=is_bare)
    key_start = end + 1
    if text[key_start : key_start + 1] in {"`", "'", '"'}:
        key_end = _end_of_quotes(source, key_start)
        key, is_bare = text[key_start + 1 : key_end - 1], False
    else:
        bare = _KEY.match(text, key_start)
        key, key_end = (bare[0], bare.end()) if bare else ("", key_start)
    if not key:
        raise source.refusal(start, f"`{excerpt(text[start:key_end])}`", "a key follows the dot directly")
    return Name(start=start, text=text[start:key_end], prefix=first, key=key, is_bare=is_bare)


def _end_of_quotes(source: Source, start: int) -> int:
    """The place behind the quotes that open at `start`; as in SQL, a doubled or escaped quote does not close them."""
    quote = source.text[start]
    quoted = _QUOTED[quote].match(source.text, start)
    if not quoted:
        raise source.refusal(start, f"`{excerpt(source.text[start:])}`", f"the closing {quote} is missing")
    return quoted.end()
