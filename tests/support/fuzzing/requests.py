"""Requests that are wrong in one way or in several, for one row of the table of routes."""

import gzip
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast
from urllib.parse import quote, quote_from_bytes, quote_plus

import msgspec

from tests.support.api_table import fields_read_by
from tests.support.fuzzing.values import any_text, any_token, fitting_token, object_of, odd_token, text
from tracking_server.web.route import Row
from tracking_server.web.routing import paths_of
from tracking_server.wire.fields import Field

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
_TYPES: Final = (
    *(
        "",
        "text/plain",
        "application/json; charset=utf-16",
        "APPLICATION/JSON",
        "application/jsonx",
        "multipart/form-data",
    ),
    *("application/x-www-form-urlencoded", "application/json, text/plain", "\xff", "application/json;" + "x" * 5000),
)
_PATHS: Final = (
    *("%00", "%2e%2e", "..", ".", "%ff", "%ed%a0%80", "%", "%zz", "%25", "a%2fb", "%5c", "a b".replace(" ", "%20")),
    *(
        "%F0%9F%8E%89",
        "x" * 300,
        "x" * 5000,
        "%E2%80%AE",
        "0",
        "-1",
        "'",
        "%22",
        "%0a",
        "%c0%ae%c0%ae",
        ";",
        "a;b",
        "*",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """`kind` says what is wrong. `is_last`: behind it the connection is of no more use."""

    kind: str
    method: str
    target: bytes
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    is_last: bool = False

    def wire(self) -> bytes:
        headers = {"Host": "localhost", **self.headers}
        if self.body or self.method in {"POST", "PUT", "PATCH", "DELETE"}:
            headers.setdefault("Content-Length", str(len(self.body)))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return b"".join(
            (self.method.encode(), b" ", self.target, b" HTTP/1.1\r\n", lines.encode("latin-1"), b"\r\n", self.body)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One path of one row, and the fields that are read there."""

    method: str
    path: str
    fields: tuple[Field, ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def takes_json(self) -> bool:
        return self.method != "GET"


def targets_of(rows: Sequence[Row]) -> list[Target]:
    return [Target(method=row.method, path=path, fields=fields_read_by(row)) for row in rows for path in paths_of(row)]


def a_case(target: Target, known: Mapping[str, str], choice: random.Random) -> Case:
    """`known`: what exists and may be used and lost, as JSON tokens by the names of fields."""
    kinds = _JSON_KINDS if target.takes_json else _QUERY_KINDS
    return choice.choice(kinds)(target, known, choice)


def _members(target: Target, known: Mapping[str, str], choice: random.Random) -> list[tuple[str, str]]:
    members = [
        (each.name, fitting_token(each, dict(known), choice))
        for each in target.fields
        if each.is_required or choice.random() < 0.6
    ]
    choice.shuffle(members)
    return members


def _odd_members(target: Target, known: Mapping[str, str], choice: random.Random) -> tuple[str, list[tuple[str, str]]]:
    """What is wrong, and the members: some are missing, odd, there twice, or under their other name."""
    members = dict(_members(target, known, choice))
    fields = {each.name: each for each in target.fields}
    extra: list[tuple[str, str]] = []
    kind = choice.choice(
        ("as meant", "missing", "odd value", "odd value", "odd value", "null", "twice", "both names", "unknown")
    )
    for name in choice.sample(sorted(fields), min(len(fields), choice.choice((1, 1, 1, 2)))):
        value = members.get(name, "1")
        match kind:
            case "missing":
                members.pop(name, None)
            case "odd value":
                members[name] = odd_token(fields[name], dict(known), choice)
            case "null":
                members[name] = "null"
            case "twice":
                extra.append((name, odd_token(fields[name], dict(known), choice)))
            case "both names":
                extra.append((fields[name].camel_name, value))
            case "unknown":
                extra.append((any_text(choice)[:50] or "x", any_token(choice)))
            case _:
                pass
    return kind, [*members.items(), *extra]


def _json(target: Target, known: Mapping[str, str], choice: random.Random) -> Case:
    kind, members = _odd_members(target, known, choice)
    return _posted(target, known, choice, kind, object_of(members).encode("utf-8", "surrogatepass"))


def _broken_json(target: Target, known: Mapping[str, str], choice: random.Random) -> Case:
    whole = object_of(_members(target, known, choice)).encode("utf-8", "surrogatepass")
    kind, body = choice.choice(_BREAKS)
    return _posted(target, known, choice, f"json: {kind}", body(whole, choice))


def _cut(whole: bytes, choice: random.Random) -> bytes:
    return whole[: choice.randrange(len(whole))]


def _flipped(whole: bytes, choice: random.Random) -> bytes:
    changed = bytearray(whole)
    for _ in range(choice.choice((1, 3))):
        changed[choice.randrange(len(changed))] = choice.randrange(256)
    return bytes(changed)


_BREAKS: Final[Sequence[tuple[str, Callable[[bytes, random.Random], bytes]]]] = (
    ("cut", _cut),
    ("bytes changed", _flipped),
    ("byte order mark", lambda whole, _: b"\xef\xbb\xbf" + whole),
    ("utf-16", lambda whole, _: whole.decode("utf-8", "replace").encode("utf-16")),
    ("more behind it", lambda whole, _: whole + whole),
    ("in a string", lambda whole, _: msgspec.json.encode(whole.decode("utf-8", "replace"))),
    ("in a list", lambda whole, _: b"[" + whole + b"]"),
    ("gzip", lambda whole, _: gzip.compress(whole, 1)),
    ("no json", lambda _, choice: choice.randbytes(choice.randrange(40))),
    ("a scalar", lambda _, choice: any_token(choice).encode()),
    ("nothing", lambda _whole, _choice: b""),
)


def _typed(target: Target, known: Mapping[str, str], choice: random.Random) -> Case:
    body = object_of(_members(target, known, choice)).encode()
    headers = {"Content-Type": choice.choice(_TYPES)}
    if choice.random() < 0.3:
        headers["Content-Encoding"] = choice.choice(("gzip", "br", "identity", "x"))
    return Case(
        kind="content type", method=target.method, target=_target(target, known, choice), body=body, headers=headers
    )


def _query(target: Target, known: Mapping[str, str], choice: random.Random) -> Case:
    kind, members = _odd_members(target, known, choice)
    pairs = [(name, value) for name, token in members for value in _as_query(token)]
    query = "&".join(
        f"{quote_plus(name, errors='replace')}={quote_plus(value, errors='replace')}" for name, value in pairs
    )
    return _got(target, known, choice, f"query: {kind}", query)


def _as_query(token: str) -> list[str]:
    try:
        value: object = msgspec.json.decode(token)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return [token]
    if isinstance(value, list):
        return [str(each) for each in cast("list[object]", value)]
    return [value if isinstance(value, str) else token]


def _broken_query(target: Target, known: Mapping[str, str], choice: random.Random) -> Case:
    names = [each.name for each in target.fields] or ["x"]
    name = choice.choice(names)
    query = choice.choice(
        (
            f"{name}=%ff",
            f"{name}=%",
            f"{name}=%zz&=",
            f"{name}=%ed%a0%80",
            f"{name}=%00",
            f"{name}",
            f"{name}[]=1&{name}=2&{name}=3",
            f"{name}=1;{name}=2",
            "&" * 3000,
            "&".join(f"k{number}=v" for number in range(2000)),
            "&".join(f"{name}={number}" for number in range(3000)),
            f"{name}=" + "x" * 40_000,
            f"{name}=" + "%F0%9F%8E%89" * 3000,
            f"{name}=+%2B%20",
            "?" * 50,
            f"{quote(name.upper())}=1",
        )
    )
    return _got(target, known, choice, "query: broken", query)


def _odd_path(target: Target, known: Mapping[str, str], choice: random.Random) -> Case:
    path = re.sub(r"\{\w+\*?\}", lambda _: _odd_segment(choice), target.path)
    if "{" not in target.path:
        path += choice.choice(("/", "//", "%2f", "/..", "%00", "/%2e%2e/create", ";x"))
    headers = {"Content-Type": "application/json"} if target.takes_json else {}
    body = object_of(_members(target, known, choice)).encode() if target.takes_json else b""
    return Case(kind="path", method=target.method, target=path.encode(), body=body, headers=headers)


def _odd_segment(choice: random.Random) -> str:
    if choice.random() < 0.5:
        return choice.choice(_PATHS)
    return quote_from_bytes(any_text(choice)[:300].encode("utf-8", "surrogatepass")) or "x"


def _verb(target: Target, known: Mapping[str, str], choice: random.Random) -> Case:
    method = choice.choice(_METHODS)
    return Case(
        kind="verb",
        method=method,
        target=_target(target, known, choice),
        body=b"{}" if method not in {"GET", "HEAD", "OPTIONS"} else b"",
        headers={"Content-Type": "application/json"},
    )


def _headers(target: Target, known: Mapping[str, str], choice: random.Random) -> Case:
    name, value = choice.choice(
        (
            ("Range", "bytes=0-"),
            ("Range", "bytes=99999999999999999999-1"),
            ("If-None-Match", '"' + "x" * 3000),
            ("If-Modified-Since", "Thu, 99 Foo 99999 99:99:99 GMT"),
            ("Accept-Encoding", "x" * 8000),
            ("X-Forwarded-Proto", "javascript"),
            ("X-Request-Id", "\xff\xfe"),
            ("Origin", "http://localhost:" + "9" * 30),
            ("Origin", "null"),
            ("Cookie", "a=" + "b" * 20_000),
            ("Expect", "100-continue"),
            ("Upgrade", "h2c"),
            ("Authorization", "Basic \xe9"),
            ("Accept", ","),
        )
    )
    body = object_of(_members(target, known, choice)).encode() if target.takes_json else b""
    headers = {"Content-Type": "application/json", name: value}
    return Case(
        kind=f"header {name}", method=target.method, target=_target(target, known, choice), body=body, headers=headers
    )


def _posted(target: Target, known: Mapping[str, str], choice: random.Random, kind: str, body: bytes) -> Case:
    headers = {"Content-Type": "application/json"}
    return Case(kind=kind, method=target.method, target=_target(target, known, choice), body=body, headers=headers)


def _got(target: Target, known: Mapping[str, str], choice: random.Random, kind: str, query: str) -> Case:
    path = _target(target, known, choice).partition(b"?")[0]
    return Case(kind=kind, method=target.method, target=path + b"?" + query.encode())


def _target(target: Target, known: Mapping[str, str], choice: random.Random) -> bytes:
    """With parameters that exist, and for GET with a query that is as it should be."""

    def parameter(found: re.Match[str]) -> str:
        value = known.get(found[1], text("x"))
        return quote(str(msgspec.json.decode(value)), safe="")

    path = re.sub(r"\{(\w+)\*?\}", parameter, target.path)
    if target.takes_json:
        return path.encode()
    pairs = [(name, value) for name, token in _members(target, known, choice) for value in _as_query(token)]
    query = "&".join(f"{quote_plus(name)}={quote_plus(value, errors='replace')}" for name, value in pairs)
    return f"{path}?{query}".encode()


_JSON_KINDS: Final = (_json, _json, _json, _json, _json, _broken_json, _broken_json, _typed, _odd_path, _verb, _headers)
_QUERY_KINDS: Final = (_query, _query, _query, _query, _broken_query, _odd_path, _verb, _headers)
