"""The store of a server that serves no artifacts: every call says so."""

from typing import NoReturn

from tracking_server.artifacts.store import Wanted
from tracking_server.errors import NotImplementedHere


class ClosedStore:
    writer_bytes = 0

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def open(self, key: str, wanted: Wanted = None) -> NoReturn:  # noqa: ARG002 - what it would need is of no interest
        self._refuse()

    def create(self, key: str) -> NoReturn:  # noqa: ARG002 - see open
        self._refuse()

    def stat(self, key: str) -> NoReturn:  # noqa: ARG002 - see open
        self._refuse()

    def list(self, folder: str, *, after: str = "", limit: int = 1000) -> NoReturn:  # noqa: ARG002 - see open
        self._refuse()

    def delete(self, key: str) -> NoReturn:  # noqa: ARG002 - see open
        self._refuse()

    def delete_prefix(self, key: str) -> NoReturn:  # noqa: ARG002 - see open
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise NotImplementedHere(self._reason)
