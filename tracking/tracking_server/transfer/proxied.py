"""Artifacts that a tracking server hands out and takes in, with credentials of its own for the store behind it."""

from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote

import msgspec
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from tracking_server.artifacts.ranges import range_header, total_of
from tracking_server.artifacts.store import Entry, Listing, Stat, StoreUnavailable, Wanted
from tracking_server.transfer.tracking import TrackingServer, broken_off


class _Listed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    path: str
    is_dir: bool = False
    file_size: int = 0


class _Listing(msgspec.Struct, frozen=True, kw_only=True):
    files: tuple[_Listed, ...] = ()


class ProxiedFiles:
    """`base` is the address that paths of artifacts are appended to."""

    def __init__(self, server: TrackingServer, base: str) -> None:
        self._server = server
        self._base = base

    def open(self, key: str, wanted: Wanted = None) -> "_Body":
        headers = {} if wanted is None else {"Range": range_header(wanted)}
        return _Body(self._server.call("GET", self._url(key), headers), self._base)

    def stat(self, key: str) -> Stat:
        with self._server.call("HEAD", self._url(key)) as response:
            return _stat(response, int(response.headers.get("Content-Length", -1)))

    def list(self, folder: str, *, after: str = "") -> Listing:  # noqa: ARG002 - such a server has no pages
        found = self._server.get(self._base, {"path": folder} if folder else {}, _Listing)
        entries = (
            Entry(name=each.path.rstrip("/").rpartition("/")[2], is_folder=each.is_dir, size_bytes=each.file_size)
            for each in found.files
        )
        return Listing(entries=sorted(entries, key=lambda entry: entry.name))

    def put(self, key: str, size_bytes: int, chunks: Iterable[bytes]) -> None:
        headers = {"Content-Length": str(size_bytes), "Content-Type": "application/octet-stream"}
        self._server.call("PUT", self._url(key), headers, chunks).drain_conn()

    def _url(self, key: str) -> str:
        return f"{self._base}/{quote(key)}"


class _Body:
    def __init__(self, response: BaseHTTPResponse, uri: str) -> None:
        self._response = response
        self._uri = uri
        length = int(response.headers.get("Content-Length", -1))
        content_range = response.headers.get("Content-Range", "") if response.status == 206 else ""
        self.start, total = total_of(content_range) if content_range else (0, length)
        self.stop = self.start + length
        self.stat = _stat(response, total)

    def read(self, limit_bytes: int) -> bytes:
        try:
            return self._response.read(limit_bytes)
        except (HTTPError, OSError) as error:
            raise broken_off(self._uri) from error

    def close(self) -> None:
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _stat(response: BaseHTTPResponse, size_bytes: int) -> Stat:
    """An ETag that is weak, or none, is empty: it does not say that the bytes are the same."""
    etag = response.headers.get("ETag", "")
    modified = response.headers.get("Last-Modified", "")
    try:
        seconds = parsedate_to_datetime(modified).timestamp() if modified else 0.0
    except ValueError as error:
        raise StoreUnavailable(f"Last-Modified of an answer is no date: {modified!r}.") from error
    return Stat(size_bytes=size_bytes, modified_seconds=seconds, etag="" if etag.startswith("W/") else etag.strip('"'))
