"""`make transfer`: a large file up and down through one server process, and what that takes: memory, disk, seconds."""

import argparse
import math
import os
import sys
import tempfile
import time
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.http import connection_to, reply_on
from tests.support.processes import peak_memory_of, written_by
from tests.support.store_servers import FILES, STORES, StoreServer, store_server

MIB: Final = 1024 * 1024
GROWTH_LIMIT_BYTES: Final = 64 * MIB
DISK_LIMIT_BYTES: Final = 16 * MIB
"""The database and the log are written meanwhile."""
PATIENCE_SECONDS: Final = 900.0
"""Some emulators put a large file together for minutes."""

_CGROUPS: Final = Path("/sys/fs/cgroup")
_PATTERN: Final = bytes(range(256)) * (MIB // 256)
_UNITS: Final = {"K": 1024, "M": MIB, "G": 1024 * MIB}


@dataclass(frozen=True, kw_only=True, slots=True)
class Transfer:
    upload_seconds: float
    download_seconds: float
    peak_bytes: int
    growth_bytes: int
    disk_bytes: int
    """What the server has written to a disk, without what the store is."""
    is_whole: bool
    """What came back is what went there."""


def transfer(running: StoreServer, size_bytes: int) -> Transfer:
    """The server is warm before: what grows is for the length of the file, not for the first use of an SDK."""
    path = f"{FILES}/1/run/artifacts/large"
    _round_trip(running.server.url, path, min(size_bytes, 12 * MIB))
    memory_before, disk_before = peak_memory_of(running.worker), _written(running)
    upload_seconds, download_seconds, is_whole = _round_trip(running.server.url, path, size_bytes)
    peak = peak_memory_of(running.worker)
    in_store = size_bytes if running.emulator is None else 0
    return Transfer(
        upload_seconds=upload_seconds,
        download_seconds=download_seconds,
        peak_bytes=peak,
        growth_bytes=peak - memory_before,
        disk_bytes=max(0, _written(running) - disk_before - in_store),
        is_whole=is_whole,
    )


def bytes_of(text: str) -> int:
    """`5G`, `512M`, `300`."""
    unit = _UNITS.get(text[-1:].upper())
    return int(text[:-1]) * unit if unit else int(text)


def _round_trip(url: str, path: str, size_bytes: int) -> tuple[float, float, bool]:
    started = time.monotonic()
    with connection_to(url, PATIENCE_SECONDS) as connection:
        connection.request("PUT", path, _blocks(size_bytes), {"Content-Length": str(size_bytes)})
        reply = reply_on(connection)
    if reply.status != 200:
        raise RuntimeError(f"the upload was answered with {reply.status}: {reply.body.decode(errors='replace')}")
    uploaded = time.monotonic()
    is_whole = _download(url, path, size_bytes)
    return uploaded - started, time.monotonic() - uploaded, is_whole


def _download(url: str, path: str, size_bytes: int) -> bool:
    """Whether it is, block by block, what `_blocks` gives."""
    with connection_to(url, PATIENCE_SECONDS) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        if response.status != 200:
            raise RuntimeError(f"the download was answered with {response.status}: {response.read().decode()}")
        same = all(zlib.crc32(response.read(len(block))) == zlib.crc32(block) for block in _blocks(size_bytes))
        return same and not response.read(1)


def _blocks(size_bytes: int) -> Iterator[bytes]:
    """Each is another one, so a part in the wrong place is seen."""
    for number in range(math.ceil(size_bytes / MIB)):
        length = min(MIB, size_bytes - number * MIB)
        yield (number.to_bytes(8) + _PATTERN[8:])[:length]


def _written(running: StoreServer) -> int:
    return sum(written_by(pid) for pid in running.processes)


@contextmanager
def _limited(running: StoreServer, limit_bytes: int) -> Generator[bool]:
    """Whether the kernel holds the server to the limit: where a control group (version 2) can be made."""
    group = _CGROUPS / f"trackplane-transfer-{os.getpid()}"
    try:
        yield _enter(group, running, limit_bytes)
    finally:
        with suppress(OSError):
            for pid in running.processes:
                (_CGROUPS / "cgroup.procs").write_text(str(pid))
            group.rmdir()


def _enter(group: Path, running: StoreServer, limit_bytes: int) -> bool:
    if not (_CGROUPS / "cgroup.controllers").exists():
        return False
    try:
        group.mkdir()
        (group / "memory.max").write_text(str(limit_bytes))
        for pid in running.processes:
            (group / "cgroup.procs").write_text(str(pid))
    except OSError:
        return False
    return True


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--size", type=bytes_of, default="5G")
    arguments.add_argument("--limit", type=bytes_of, default="512M")
    arguments.add_argument("--store", choices=STORES, default="s3")
    given = arguments.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="trackplane-transfer-") as folder,
        store_server(given.store, Path(folder)) as running,
        _limited(running, given.limit) as is_held,
    ):
        found = transfer(running, given.size)
    size = given.size / MIB
    held = "the kernel held it to that" if is_held else "measured: no control group can be made here"
    print(f"store            {given.store}, a file of {size:.0f} MiB, one server process")
    print(f"upload           {found.upload_seconds:.1f} s, {size / found.upload_seconds:.0f} MiB/s")
    print(f"download         {found.download_seconds:.1f} s, {size / found.download_seconds:.0f} MiB/s")
    print(f"memory grew by   {found.growth_bytes / MIB:.1f} MiB (at most {GROWTH_LIMIT_BYTES // MIB})")
    print(f"memory at most   {found.peak_bytes / MIB:.0f} MiB of {given.limit / MIB:.0f} ({held})")
    print(f"disk written     {found.disk_bytes / MIB:.1f} MiB outside of the store (at most {DISK_LIMIT_BYTES // MIB})")
    print(f"content          {'came back as it was' if found.is_whole else 'IS NOT what was sent'}")
    is_good = (
        found.is_whole
        and found.growth_bytes <= GROWTH_LIMIT_BYTES
        and found.peak_bytes <= given.limit
        and found.disk_bytes <= DISK_LIMIT_BYTES
    )
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
