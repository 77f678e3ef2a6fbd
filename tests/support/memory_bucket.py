"""An object store in memory, small enough to be wrong on purpose: it cuts what it sends, and refuses to delete."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from tracking_server.artifacts.bucket import FoundObject, Page
from tracking_server.artifacts.ranges import span
from tracking_server.artifacts.store import ArtifactNotFound, Leftover, Stat, StoreChanged, StoreUnavailable, Wanted


@dataclass(kw_only=True)
class MemoryBucket:
    """`cuts_after`: how many bytes one read sends at most, and `breaks` whether it then raises, or just ends."""

    uri: str = "memory://bucket"
    part_bytes: int = 8
    part_limit: int = 100
    span_bytes: int | None = None
    cuts_after: int | None = None
    breaks: bool = False
    locked: frozenset[str] = frozenset()
    calls: list[str] = field(default_factory=list[str])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    uploads: list["MemoryUpload"] = field(default_factory=list["MemoryUpload"])

    def head(self, name: str) -> Stat:
        self.calls.append("head")
        return self._stat(name)

    def read(self, name: str, wanted: Wanted, etag: str | None = None) -> "MemoryStream":
        self.calls.append("read")
        stat = self._stat(name)
        if etag is not None and etag != stat.etag:
            raise StoreChanged("The file was replaced while it was read.")
        start, stop = span(wanted, stat.size_bytes)
        sent = self.files[name][start : stop if self.cuts_after is None else min(stop, start + self.cuts_after)]
        return MemoryStream(stat=stat, start=start, stop=stop, sent=sent, breaks=self.breaks)

    def put(self, name: str, content: bytearray) -> Stat:
        self.calls.append("put")
        self.files[name] = bytes(content)
        return self._stat(name)

    def upload(self, name: str) -> "MemoryUpload":
        self.calls.append("upload")
        upload = MemoryUpload(bucket=self, name=name)
        self.uploads.append(upload)
        return upload

    def page(self, prefix: str, *, after: str = "", limit: int, is_deep: bool) -> Page:
        self.calls.append("page")
        found: dict[str, int] = {}
        for name, content in self.files.items():
            if name.startswith(prefix):
                inner, slash, _ = name[len(prefix) :].partition("/")
                if slash and not is_deep:
                    found[f"{prefix}{inner}/"] = -1
                else:
                    found[name] = len(content)
        names = sorted(name for name in found if name > after)
        page = names[:limit]
        return Page(
            objects=tuple(
                FoundObject(name=name, size_bytes=found[name], is_marker=name.endswith("/"))
                for name in page
                if found[name] >= 0
            ),
            folders=tuple(name for name in page if found[name] < 0),
            next_after=page[-1] if len(names) > limit else None,
        )

    def delete(self, objects: Sequence[FoundObject]) -> Sequence[Leftover]:
        self.calls.append("delete")
        for each in objects:
            if each.name not in self.locked:
                self.files.pop(each.name, None)
        return tuple(Leftover(key=each.name, reason="locked") for each in objects if each.name in self.locked)

    def tidy(self, name: str) -> None:
        self.calls.append(f"tidy {name}")

    def close(self) -> None:
        self.calls.append("close")

    def _stat(self, name: str) -> Stat:
        if name not in self.files:
            raise ArtifactNotFound(f"no {name}")
        content = self.files[name]
        return Stat(size_bytes=len(content), modified_seconds=0.0, etag=hashlib.sha256(content).hexdigest())


@dataclass(kw_only=True)
class MemoryStream:
    stat: Stat
    start: int
    stop: int
    sent: bytes
    breaks: bool

    def read(self, limit_bytes: int) -> bytes:
        if not self.sent and self.breaks:
            raise StoreUnavailable("cut")
        chunk, self.sent = self.sent[:limit_bytes], self.sent[limit_bytes:]
        return chunk

    def close(self) -> None:
        self.sent = b""


@dataclass(kw_only=True)
class MemoryUpload:
    bucket: MemoryBucket
    name: str
    parts: list[int] = field(default_factory=list[int])
    content: bytearray = field(default_factory=bytearray)
    is_aborted: bool = False

    def add(self, part: bytearray) -> None:
        self.bucket.calls.append("add")
        self.parts.append(len(part))
        self.content += part

    def finish(self, last: bytearray) -> Stat:
        self.add(last)
        return self.bucket.put(self.name, self.content)

    def abort(self) -> None:
        self.is_aborted = True
