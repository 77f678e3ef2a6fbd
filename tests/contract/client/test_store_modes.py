"""The unmodified mlflow client against a bucket: through the server, by signed addresses, and with keys of its own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.artifact_stores import GROUP
from tests.support.client import last_line, run_script
from tests.support.emulators import Emulator
from tests.support.server import LiveServer, live_server

SCRIPT: Final = Path(__file__).with_name("scripts") / "files.py"
SMALL_LIMITS: Final = {
    "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": str(6 * 1024 * 1024),
    "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": str(5 * 1024 * 1024),
    "MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE": str(6 * 1024 * 1024),
    "MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE": str(5 * 1024 * 1024),
}
"""Of the client, so that 12 MiB are a large file."""
FILES: Final = "/api/2.0/mlflow-artifacts/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mode:
    options: Sequence[str]
    scheme: str
    has_keys: bool
    calls: frozenset[str]
    """What the server is asked for the large file."""


MODES: Final = {
    "proxied": Mode(
        options=("--artifacts-destination={uri}/client",),
        scheme="mlflow-artifacts:",
        has_keys=False,
        calls=frozenset({"PUT artifacts", "GET artifacts"}),
    ),
    "presigned": Mode(
        options=("--artifacts-destination={uri}/client", "--artifacts-access=presigned"),
        scheme="mlflow-artifacts:",
        has_keys=False,
        calls=frozenset({"POST mpu/create", "POST mpu/complete", "GET presigned"}),
    ),
    "direct": Mode(options=("--default-artifact-root={uri}/client",), scheme="s3:", has_keys=True, calls=frozenset()),
}


@GROUP
@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_files_come_back_as_they_were(s3: Emulator, tmp_path: Path, mode: Mode) -> None:
    options = [option.format(uri=s3.uri) for option in mode.options]
    keys: Mapping[str, str] = s3.environ if mode.has_keys else {}
    with live_server(tmp_path, *options, environ=s3.environ) as server:
        output = run_script(SCRIPT, server.url, home=tmp_path, environ={**SMALL_LIMITS, **keys})
    told = last_line(output)
    assert told["uri"].startswith(mode.scheme)
    assert (told["sizes_are_right"], told["contents_are_right"]) == (True, True)
    assert calls_about(server, "large.bin") == mode.calls


def calls_about(server: LiveServer, name: str) -> frozenset[str]:
    """Uploads in parts name their folder alone."""
    found: set[str] = set()
    for line in server.log.read_text().splitlines():
        said = json.loads(line)
        path = str(said.get("path", ""))
        if path.startswith(FILES) and (path.endswith(f"/{name}") or "/mpu/" in path):
            words = path.removeprefix(FILES).split("/")
            found.add(f"{said['method']} {'/'.join(words[:2]) if words[0] == 'mpu' else words[0]}")
    return frozenset(found)
