"""The queue in the database, as one server process sees it: whether it is there, what is due, how it went."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, inspect

from tracking_server.database import schema
from tracking_server.database.fetching import fetch_rows
from tracking_server.database.statements import webhook_deliveries as statements
from tracking_server.database.transactions import Database
from tracking_server.deliver.outcomes import Arrived, GivenUp, LeftToOthers, Outcome, TryAgain

logger = logging.getLogger(__name__)

WAITING_DAYS: Final = 3
"""What nobody took for so long is given up."""
FAILED_DAYS: Final = 7
"""How long what was given up stays to be looked at."""
_DAY: Final = 24 * 3600 * 1000
_STORED_CHARACTERS: Final = 500

MISSING: Final = (
    "The database has no table of webhook deliveries, so webhooks are not told of anything."
    " `trackplane db upgrade` adds it, and changes nothing else."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The next delivery of one webhook; at once, when neither time is in the future."""

    sequence: int
    due_at: int
    leased_until: int

    @property
    def free_at(self) -> int:
        return max(self.due_at, self.leased_until)


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    sequence: int
    lease: str
    delivery_id: str
    webhook_id: str
    body: bytes
    attempts: int
    url: str
    secret: str | None


class TablePresence:
    """Whether the table is there: it may come while a server runs, it does not go."""

    def __init__(self) -> None:
        self._is_there = False
        self._has_warned = False

    def is_there(self, connection: Connection) -> bool:
        if not self._is_there:
            self._is_there = inspect(connection).has_table(schema.trackplane_webhook_deliveries.name)
            if not self._is_there and not self._has_warned:
                logger.warning(MISSING)
                self._has_warned = True
        return self._is_there


class DeliveryQueue:
    def __init__(self, database: Database, presence: TablePresence, new_lease: Callable[[], str]) -> None:
        self._database = database
        self._presence = presence
        self._new_lease = new_lease

    def heads(self) -> Sequence[Head]:
        """One statement, which locks nothing. None when the table is missing."""
        with self._database.read() as connection:
            if not self._presence.is_there(connection):
                return ()
            rows = fetch_rows(connection, statements.SELECT_HEADS)
        return [Head(sequence=row[0], due_at=row[1], leased_until=row[2]) for row in rows]

    def claim(self, heads: Sequence[Head], *, now: int, until: int) -> Sequence[Claimed]:
        """Those that nobody else has claimed meanwhile: whoever writes the row first has it, on any engine."""
        if not heads:
            return ()
        sequences = sorted(head.sequence for head in heads)
        lease = self._new_lease()

        def write(connection: Connection) -> Sequence[Claimed]:
            taken = connection.execute(statements.claim(sequences), {"lease": lease, "now": now, "until": until})
            if not taken.rowcount:
                return ()
            rows = fetch_rows(connection, statements.select_claimed(sequences, lease))
            return [
                Claimed(
                    sequence=row[0],
                    lease=lease,
                    delivery_id=row[1],
                    webhook_id=row[2],
                    body=row[3].encode(),
                    attempts=row[4],
                    url=row[5],
                    secret=row[6],
                )
                for row in rows
            ]

        return self._database.retrying(write)

    def settle(self, ended: Sequence[tuple[Claimed, Outcome]], *, now: int) -> None:
        """A row whose lease somebody else has by now is left to them."""

        def write(connection: Connection) -> None:
            for claimed, outcome in sorted(ended, key=lambda pair: pair[0].sequence):
                mine: dict[str, object] = {"of_sequence": claimed.sequence, "lease": claimed.lease}
                tries = claimed.attempts + 1
                match outcome:
                    case Arrived():
                        connection.execute(statements.DELETE_ARRIVED, mine)
                    case TryAgain(after_seconds=pause, why=why):
                        later = {"tries": tries, "due": now + round(pause * 1000), "why": why[:_STORED_CHARACTERS]}
                        connection.execute(statements.UPDATE_FOR_RETRY, {**mine, **later})
                    case GivenUp(why=why):
                        ending = {"tries": tries, "now": now, "why": why[:_STORED_CHARACTERS]}
                        connection.execute(statements.UPDATE_GIVEN_UP, {**mine, **ending})
                    case LeftToOthers():
                        connection.execute(statements.RELEASE, mine)

        self._database.retrying(write)

    def tidy(self, now: int) -> None:
        times = {
            "now": now,
            "waiting_since": now - WAITING_DAYS * _DAY,
            "failed_since": now - FAILED_DAYS * _DAY,
        }

        def write(connection: Connection) -> None:
            if self._presence.is_there(connection):
                for statement in statements.tidying():
                    wanted = statement.compile().params
                    connection.execute(statement, {name: times[name] for name in times if name in wanted})

        self._database.retrying(write)
