"""Sequences of calls, drawn one after the other, sent to both servers, and their answers compared.

At the end of each sequence everything that it made is read back from both.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

from tests.support.parity import file_calls, model_calls, registry_calls, tracking_calls
from tests.support.parity.answers import Json
from tests.support.parity.calls import AJAX, PREFIX, Call, get, named, post
from tests.support.parity.drawing import TEXTS, Draw, Known, Operation
from tests.support.parity.quirks import quirk_of
from tests.support.parity.servers import Exchange, Pair

OPERATIONS: Final[Sequence[Operation]] = (
    *tracking_calls.OPERATIONS,
    *model_calls.OPERATIONS,
    *file_calls.OPERATIONS,
    *registry_calls.OPERATIONS,
)
CALLS_OF_A_SEQUENCE: Final = 60
_MOST_PAGES: Final = 4
_DEPENDS_ON_CASE: Final = re.compile(
    r'"A"|`A`|=A\b|\bV\b|Beta|Fast|Forest|Best|order_by.*(?:name|param|tag|model_type)|' + "|".join(TEXTS[7:14])
)
"""And on what comes before what, which is another matter of such a database."""
_ONE_PAGE: Final = frozenset({"GET webhooks"})
"""What comes later there are those of other sequences."""


class Unlisted(AssertionError):
    """A difference that no quirk explains."""


@dataclass(kw_only=True, slots=True)
class Tally:
    """`surprises`: unlisted differences of one kind, with the first exchange that showed it."""

    calls: Counter[str] = field(default_factory=Counter[str])
    answers: Counter[str] = field(default_factory=Counter[str])
    quirks: Counter[str] = field(default_factory=Counter[str])
    surprises: dict[str, list[Exchange]] = field(default_factory=dict[str, list[Exchange]])
    messages: dict[str, Exchange] = field(default_factory=dict[str, Exchange])
    """Errors whose texts differ, one of each kind."""

    def note_surprise(self, exchange: Exchange) -> None:
        places = [difference.place for difference in exchange.differences][:2]
        kind = f"{exchange.call.endpoint}: ours {str(exchange.ours)[:60]}, theirs {str(exchange.theirs)[:60]} {places}"
        self.surprises.setdefault(_shape(kind), []).append(exchange)

    def note_messages(self, exchange: Exchange) -> None:
        ours, theirs = (_shape(said.message) for said in (exchange.ours, exchange.theirs))
        if ours and theirs and ours != theirs:
            self.messages.setdefault(f"{exchange.call.endpoint} {theirs[:60]}", exchange)


@dataclass(kw_only=True, slots=True)
class Comparison:
    """One pair of servers, and all that is said about them. `is_survey`: differences are gathered, not raised."""

    pair: Pair
    tally: Tally
    is_survey: bool = False
    folds_case: bool = False
    """Whether our database takes `A` for `a`, as MySQL and MariaDB do: then no call may depend on it."""
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    sequence: list[Call] = field(default_factory=list[Call])
    """What was played since the last `begin`."""

    def begin(self) -> None:
        """A new sequence, with names of its own."""
        self.sequence.clear()
        self.pair.begin({PREFIX[1:-1]: f"s{next(self.numbers):06d}-"})

    def play(self, call: Call) -> tuple[Exchange, bool]:
        """The exchange, and whether both servers still hold the same. Raises Unlisted. Pages are turned."""
        self.sequence.append(call)
        exchange = self._play(call)
        is_equal = self._judge(exchange)
        for page in self._next_pages(exchange):
            is_equal = self._judge(page) and is_equal
        return exchange, is_equal

    def replay(self, calls: Sequence[Call]) -> None:
        """Raises Unlisted."""
        self.begin()
        for call in calls:
            _, is_equal = self.play(call)
            if not is_equal:
                return

    def _play(self, call: Call, **ids: Any) -> Exchange:
        exchange = self.pair.play(call, **ids)
        self.tally.calls[call.endpoint] += 1
        self.tally.answers[f"{exchange.theirs.status} {exchange.theirs.error_code}".strip()] += 1
        self.tally.note_messages(exchange)
        return exchange

    def _judge(self, exchange: Exchange) -> bool:
        quirk = quirk_of(exchange)
        if quirk is not None:
            self.tally.quirks[quirk.name] += 1
            return not quirk.parts
        if not exchange.differences:
            return True
        if not self.is_survey:
            raise Unlisted(described(exchange))
        self.tally.note_surprise(exchange)
        return exchange.ours.is_success == exchange.theirs.is_success

    def _next_pages(self, exchange: Exchange) -> Iterator[Exchange]:
        """The same question with the token that each server gave, a few times."""
        for _ in range(_MOST_PAGES):
            ours, theirs = _token(exchange.ours.body), _token(exchange.theirs.body)
            if not ours or not theirs or exchange.call.endpoint in _ONE_PAGE:
                return
            exchange = self._play(_with_token(exchange.call), ours={"token": ours}, theirs={"token": theirs})
            yield exchange


def described(exchange: Exchange) -> str:
    found = "\n".join(f"  {difference}" for difference in exchange.differences)
    return f"{exchange.call}\n  ours   {exchange.ours}\n  theirs {exchange.theirs}\n{found}"


def play_sequence(comparison: Comparison, draw: Draw, length: int = CALLS_OF_A_SEQUENCE) -> None:
    """So many calls, or fewer when the servers part; then all that they made is read. Raises Unlisted."""
    weighted = [operation for operation in OPERATIONS for _ in range(operation.weight)]
    comparison.begin()
    known = Known()
    for _ in range(length):
        call = _drawn(draw, known, weighted)
        while comparison.folds_case and _DEPENDS_ON_CASE.search(str(call)):
            call = _drawn(draw, known, weighted)
        exchange, is_equal = comparison.play(call)
        if not is_equal:
            return
        if exchange.ours.is_success and exchange.theirs.is_success:
            for kind, name in call.makes:
                known.of(kind).append(name)
    for call in read_back(known):
        comparison.play(call)


def _drawn(draw: Draw, known: Known, weighted: Sequence[Operation]) -> Call:
    possible = [operation for operation in weighted if all(known.of(kind) for kind in operation.needs)]
    return draw.choice(possible).draw(draw, known)


def _shape(message: str) -> str:
    """Without what differs from one server to the next, or from one value to another."""
    return re.sub(r"\d+", "0", re.sub(r"'[^']*'|\"[^\"]*\"|[0-9a-f]{32}", "~", message))


def _token(body: Json) -> str:
    return str(body.get("next_page_token", "")) if isinstance(body, dict) else ""


def _with_token(call: Call) -> Call:
    if isinstance(call.body, dict):
        return replace(call, body={**call.body, "page_token": named("token")})
    return replace(
        call, query=[*(pair for pair in call.query if pair[0] != "page_token"), ("page_token", named("token"))]
    )


def read_back(known: Known) -> Iterator[Call]:
    """Everything that a sequence has made."""
    for experiment in known.of("experiment"):
        yield get("experiments/get", ("experiment_id", experiment))
        yield post("runs/search", {"experiment_ids": [experiment], "run_view_type": "ALL"})
        yield post("logged-models/search", {"experiment_ids": [experiment]})
    for run in known.of("run"):
        yield get("runs/get", ("run_id", run))
        for key in ("a", "loss"):
            yield get("metrics/get-history", ("run_id", run), ("metric_key", key))
    for model in known.of("model"):
        yield get(f"logged-models/{model}", ("allow_deleted", "true"))
    for name in known.of("registered"):
        yield get("registered-models/get", ("name", name))
        yield get("model-versions/search", ("filter", f"name = '{name}'"))
    for name, version in known.of("version"):
        yield get("model-versions/get", ("name", name), ("version", version))
    for hook in known.of("hook"):
        yield get(f"webhooks/{hook}")
    if known.of("experiment"):
        yield Call(
            endpoint="POST experiments/search-datasets",
            method="POST",
            path=f"{AJAX}/experiments/search-datasets",
            body={"experiment_ids": known.of("experiment")[:20]},
        )


def written(calls: Sequence[Call]) -> str:
    """A sequence as a file that `make parity REPLAY=` plays again."""
    lines = ",\n".join(json.dumps(call.to_json(), ensure_ascii=False) for call in calls)
    return f"[\n{lines}\n]\n"
