"""Values as the tokens of JSON that they are written with: those that a field is made for, and all others."""

import json
import random
from collections.abc import Sequence
from typing import Final

from tracking_server.wire.fields import Field

TEXTS: Final = (
    "",
    " ",
    "x",
    "0",
    "-1",
    "01",
    "1.0",
    "NaN",
    "null",
    "true",
    "1e400",
    "9" * 25,
    "\x00",
    "a\x00b",
    "\x01\x1f\x7f",
    "a\nb",
    "\ud800",
    "\udc00\ud800",
    "x\udfff",
    "\ufeff",
    "\ufffe\uffff",
    "\u202eabc",
    "e\u0301" * 40,
    "\U0001f389",
    "\U0001f389" * 130,
    "\u0130",
    "/",
    "a//b",
    "../../etc/passwd",
    "..%2f..%2fetc",
    "%252e%252e/x",
    "%00",
    "%",
    "C:\\x",
    "file:///etc/passwd",
    "s3://bucket/x",
    "mlflow-artifacts:/../x",
    "http://user:pw@host/x?y#z",
    "a.b:c d-e/f",
    "'",
    '"',
    "`",
    "\\",
    "'; DROP TABLE runs; --",
    "params.a = 'b'",
    "metrics.m > 1e400",
    "tag.`a` LIKE '%'",
    "(" * 300,
    "NOT " * 300,
    "a = 'b' AND " * 300,
    "{{7*7}}${x}",
    "<script>alert(1)</script>",
)
LENGTHS: Final = (36, 37, 250, 251, 256, 257, 500, 501, 2049, 5001, 6001, 8001, 65_536, 100_001)
NUMBERS: Final = (
    *("0", "-0", "1", "-1", "1.5", "1e2", "1E+2", "0.1e1", "1e-400", "1e400", "-1e400", "1.7976931348623157e308"),
    *(str(2**31 - 1), str(2**31), str(-(2**31) - 1), str(2**53 + 1), str(2**63 - 1), str(2**63), str(-(2**63))),
    *(str(-(2**63) - 1), str(2**64), str(10**30), str(10**400), "1" * 5000, "0." + "1" * 2000),
)
LONGEST_LIST: Final = 4_000_000
NO_JSON: Final = (
    "NaN",
    "Infinity",
    "-Infinity",
    "01",
    "+1",
    ".5",
    "1.",
    "0x10",
    "True",
    "undefined",
    "'x'",
    "",
    "/* */",
)
OTHERS: Final = ("null", "true", "false", "[]", "{}", "[null]", '{"a": null}', "[[[]]]", '[{"a": [{}]}]')


def text(value: str) -> str:
    """Lone surrogates are written as escapes, and everything else now and then."""
    return json.dumps(value)


def any_text(choice: random.Random) -> str:
    match choice.randrange(5):
        case 0:
            return "a" * choice.choice(LENGTHS)
        case 1:
            return "\u00e9" * choice.choice(LENGTHS)
        case 2:
            return "".join(chr(choice.choice((choice.randrange(0x20), choice.randrange(0x3000)))) for _ in range(8))
        case _:
            return choice.choice(TEXTS)


def any_token(choice: random.Random) -> str:
    match choice.randrange(6):
        case 0 | 1:
            return text(any_text(choice))
        case 2:
            return choice.choice(NUMBERS)
        case 3:
            return text(choice.choice(NUMBERS))
        case 4:
            return choice.choice(OTHERS)
        case _:
            return nested(choice)


def nested(choice: random.Random) -> str:
    depth = choice.choice((3, 50, 2000))
    return "[" * depth + "]" * depth if choice.random() < 0.5 else '{"a":' * depth + "1" + "}" * depth


def object_of(members: Sequence[tuple[str, str]]) -> str:
    """Names may come twice."""
    return "{" + ", ".join(f"{text(name)}: {token}" for name, token in members) + "}"


def fitting_token(field: Field, known: dict[str, str], choice: random.Random) -> str:
    """A value that the field is made for. `known`: tokens by the name of the field."""
    if field.name in known:
        return known[field.name]
    if field.item is not None:
        one = object_of([(each.name, fitting_token(each, known, choice)) for each in field.item])
        return f"[{', '.join([one] * choice.choice((0, 1, 1, 2)))}]" if field.is_list else one
    if field.is_list:
        return choice.choice(("[]", '["x"]'))
    if field.enumeration is not None:
        return text(choice.choice(list(field.enumeration)).value)
    if field.is_flag:
        return choice.choice(("true", "false"))
    return text(f"text {choice.randrange(1000)}") if field.is_text else str(choice.randrange(1, 100))


def _repeated(token: str, times: int) -> list[str]:
    """Lists in lists of long texts would be longer than memory: a body stays below what a server reads at all."""
    return [token] * max(1, min(times, LONGEST_LIST // len(token)))


def odd_token(field: Field, known: dict[str, str], choice: random.Random) -> str:
    """Something else than the field is made for, or of a size that it is not; deep inside it where it has an inside."""
    if field.item is not None and choice.random() < 0.7:
        members = [(each.name, fitting_token(each, known, choice)) for each in field.item]
        chosen = choice.randrange(len(members))
        members[chosen] = (members[chosen][0], odd_token(field.item[chosen], known, choice))
        one = object_of(members)
        return f"[{', '.join(_repeated(one, choice.choice((1, 1, 2, 101, 1001))))}]" if field.is_list else one
    if field.is_list and choice.random() < 0.5:
        return f"[{', '.join(any_token(choice) for _ in range(choice.choice((1, 2, 30))))}]"
    if field.is_text and choice.random() < 0.6:
        return text(any_text(choice))
    if choice.random() < 0.05:
        return choice.choice(NO_JSON)
    return choice.choice(NUMBERS) if choice.random() < 0.4 else any_token(choice)
