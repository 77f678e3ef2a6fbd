"""Writes a file through a tracking server and reads it back, again and again, until the file STOP is there.

A story runs it in a pod beside the server, so it needs the standard library alone. The last line that it prints is its
result. Each request has a connection of its own, as of a client that has just come: the Service chooses its pod.
"""

import json
import sys
import time
import urllib.request
from pathlib import Path
from typing import Final

FILES: Final = "/api/2.0/mlflow-artifacts/artifacts/steady"
STOP: Final = "/tmp/stop"
REST_SECONDS: Final = 0.05
TIMEOUT_SECONDS: Final = 30


def ask(method: str, url: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(url, body, {"Content-Type": "application/octet-stream"}, method=method)
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        content: bytes = response.read()
        return content


def write_and_read(url: str, content: bytes) -> str | None:
    """What went wrong."""
    try:
        ask("PUT", url, content)
        return None if ask("GET", url) == content else f"{url} holds something else"
    except OSError as error:
        return f"{url}: {error!r}"


def main(url: str) -> None:
    came_back, failures = 0, list[str]()
    while not Path(STOP).exists():
        failure = write_and_read(f"{url}{FILES}/{came_back + len(failures)}.txt", b"file %d" % came_back * 100)
        if failure is None:
            came_back += 1
        else:
            failures.append(failure)
        time.sleep(REST_SECONDS)
    print(json.dumps({"came_back": came_back, "failures": failures[:20]}))


if __name__ == "__main__":
    main(sys.argv[1])
