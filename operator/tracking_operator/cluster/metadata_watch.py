"""A watch that brings only the metadata of objects: the contents of Secrets never reach the operator.

kopf has no such watch (docs/decisions/0001-secrets-are-watched-as-metadata.md). Whoever asks is told which object
changed, and reads what it needs then.
"""

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import aiohttp

from tracking_operator.cluster.connection import PARTIAL_OBJECT, PARTIAL_OBJECT_LIST, Connection
from tracking_operator.cluster.kubernetes_api import (
    CONNECT_TIMEOUT_SECONDS,
    PAGE_SIZE,
    REQUEST_TIMEOUT_SECONDS,
    path_of,
)
from tracking_operator.resource.kinds import Kind

logger = logging.getLogger(__name__)

STREAM_SECONDS: Final = 270
SILENCE_SECONDS: Final = 70
"""The API server sends a bookmark every minute."""
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0

Changed = Callable[[str, str], None]
"""Called with the namespace and the name of each object that is there, that changed, or that is gone."""


class _Interrupted(Exception):
    """The watch has to begin anew, with a list."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MetadataWatch:
    """`field_selector` leaves out, at the API server, what nobody asks about. An empty namespace means all."""

    connection: Connection
    kind: Kind
    namespace: str
    field_selector: str
    changed: Changed

    async def run(self) -> None:
        """Until it is cancelled. What fails is tried again, with pauses that grow."""
        pause = FIRST_PAUSE_SECONDS
        async with self.connection.open_session() as session:
            while True:
                try:
                    version = await self._list(session)
                    pause = FIRST_PAUSE_SECONDS
                    while True:
                        version = await self._follow(session, version)
                except _Interrupted as exc:
                    logger.info("a watch begins anew", extra={"resource": self.kind.plural, "error": str(exc)})
                except (aiohttp.ClientError, OSError, ValueError) as exc:
                    # str, not repr: that of a ClientResponseError has the request's headers in it, and our token.
                    error = str(exc) or type(exc).__name__
                    logger.warning("a watch failed", extra={"resource": self.kind.plural, "error": error})
                await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 -- spreads load, guards nothing
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _list(self, session: aiohttp.ClientSession) -> str:
        """Tells of every object; the version to watch from."""
        query = {"limit": str(PAGE_SIZE)}
        while True:
            async with await self._get(session, query, PARTIAL_OBJECT_LIST) as response:
                await _refuse(response)
                page = await response.json()
            for item in page.get("items") or ():
                self._tell(item)
            if not (token := page["metadata"].get("continue")):
                return str(page["metadata"]["resourceVersion"])
            query["continue"] = token

    async def _follow(self, session: aiohttp.ClientSession, version: str) -> str:
        """Tells of every change until the stream ends, as it does by design; the version to go on from."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(STREAM_SECONDS),
        }
        async with await self._get(session, query, PARTIAL_OBJECT, total=STREAM_SECONDS + 30) as response:
            await _refuse(response)
            async for event in _events(response):
                if event["type"] == "ERROR":
                    raise _Interrupted(str(event["object"].get("message")))
                version = event["object"]["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self._tell(event["object"])
        return version

    async def _get(
        self, session: aiohttp.ClientSession, query: Mapping[str, str], accept: str, *, total: float | None = None
    ) -> aiohttp.ClientResponse:
        if self.field_selector:
            query = {**query, "fieldSelector": self.field_selector}
        timeout = aiohttp.ClientTimeout(total=total or REQUEST_TIMEOUT_SECONDS, sock_connect=CONNECT_TIMEOUT_SECONDS)
        url = f"{self.connection.server}{path_of(self.kind, self.namespace)}"
        return await session.get(url, params=query, headers={"Accept": accept}, timeout=timeout)

    def _tell(self, item: Mapping[str, Any]) -> None:
        self.changed(item["metadata"].get("namespace", ""), item["metadata"]["name"])


async def _refuse(response: aiohttp.ClientResponse) -> None:
    if response.status == HTTPStatus.GONE:
        raise _Interrupted("the version is too old")
    response.raise_for_status()


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[Mapping[str, Any]]:
    while True:
        async with asyncio.timeout(SILENCE_SECONDS):
            line = await response.content.readline()
        if not line:
            return
        yield json.loads(line)
