"""`make cut`: many uploads at once, all cut in the middle, and what objects and parts are left of them in the store."""

import argparse
import json
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.store_servers import FILES, STORES, StoreServer, store_server

MIB: Final = 1024 * 1024
_SENT_BYTES: Final = 13 * MIB
_ANNOUNCED_BYTES: Final = 100 * MIB
_DEADLINE_SECONDS: Final = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    cut: int
    refused: int
    """Beyond what one server process takes at once: answered with 503 before anything was written."""
    objects: Sequence[str]
    parts: Sequence[str]
    had_parts: bool
    """The store had parts of all of them before they were cut, and told so: there was something to take away."""


def cut_uploads(running: StoreServer, count: int) -> Cut:
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", running.server.port), timeout=_DEADLINE_SECONDS))
            for _ in range(count)
        ]
        with ThreadPoolExecutor(count) as pool:
            taken = list(pool.map(_send, connections, range(count)))
        had_parts = _have_parts(running, sum(taken))
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while _ended(running) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    while any(left := running.left_in_store()) and time.monotonic() < deadline:
        time.sleep(0.2)
    objects, parts = left
    return Cut(cut=sum(taken), refused=count - sum(taken), objects=objects, parts=parts, had_parts=had_parts)


def _send(connection: socket.socket, number: int) -> bool:
    """Whether the server took it in. Several parts of it go, and then it stands still."""
    path = f"{FILES}/1/run/artifacts/{number}"
    head = f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {_ANNOUNCED_BYTES}\r\n\r\n"
    try:
        connection.sendall(head.encode())
        connection.sendall(bytes(_SENT_BYTES))
        connection.settimeout(0.5)
        return not connection.recv(16)
    except TimeoutError:
        return True
    except OSError:
        return False


def _have_parts(running: StoreServer, uploads: int) -> bool:
    """Waits until there are parts of each. Google's store tells nobody of those."""
    if not running.tells_of_parts:
        return False
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while len(set(running.left_in_store()[1])) < uploads:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _ended(running: StoreServer) -> int:
    """Uploads that the server has told its log of."""
    lines = running.server.log.read_text().splitlines()
    return sum(json.loads(line).get("method") == "PUT" for line in lines if line.startswith("{"))


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("-n", "--count", type=int, default=20)
    arguments.add_argument("--store", choices=STORES, default="s3")
    given = arguments.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="trackplane-cut-") as folder,
        store_server(given.store, Path(folder)) as running,
    ):
        found = cut_uploads(running, given.count)
    print(f"store            {given.store}, one server process")
    print(f"uploads cut      {found.cut}, and {found.refused} answered with 503 at once")
    print(f"objects left     {len(found.objects)}", *found.objects[:10], sep="\n  ")
    print(f"parts left       {len(found.parts)}", *found.parts[:10], sep="\n  ")
    return 1 if found.objects or found.parts or not found.cut else 0


if __name__ == "__main__":
    sys.exit(main())
