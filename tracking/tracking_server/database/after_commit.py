"""What is to be done once a transaction is there to be seen, and not at all when it is taken back."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

_CALLS: Final = "trackplane_after_commit"


def after_commit(connection: Connection, call: Callable[[], None]) -> None:
    """`call` must be quick and raise nothing: the connection is still in use, and the caller still waits."""
    connection.info.setdefault(_CALLS, []).append(call)


def forget_calls(connection: Connection) -> None:
    """A connection of the pool may have kept what was meant for a transaction that failed."""
    connection.info.pop(_CALLS, None)


def make_calls(connection: Connection) -> None:
    for call in connection.info.pop(_CALLS, ()):
        call()
