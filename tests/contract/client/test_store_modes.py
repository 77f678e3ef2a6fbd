"""The unmodified mlflow client against a bucket: through the server, by signed addresses, and with keys of its own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.support.artifact_stores import GROUP, REMOTE
from tests.support.client import last_line, run_script
from tests.support.emulators import Emulator
from tests.support.server import LiveServer, live_server

SCRIPT: Final = Path(__file__).with_name("scripts") / "files.py"
SMALL_LIMITS: Final = {
    "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": str(6 * 1024 * 1024),
    "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": str(5 * 1024 * 1024),
    "MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE": str(6 * 1024 * 1024),
    "MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE": str(5 * 1024 * 1024),
    "MLFLOW_GCS_UPLOAD_CHUNK_SIZE": str(5 * 1024 * 1024),
    "MLFLOW_GCS_DOWNLOAD_CHUNK_SIZE": str(5 * 1024 * 1024),
}
"""Of the client, so that 12 MiB are a large file."""
IN_ONE_PIECE: Final = {"MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": str(50 * 1024 * 1024)}
FILES: Final = "/api/2.0/mlflow-artifacts/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mode:
    options: Sequence[str]
    is_direct: bool = False
    """The client has keys of its own, and runs the address of the store."""
    limits: Mapping[str, str] = field(default_factory=dict[str, str])
    calls: frozenset[str]
    """What the server is asked for the large file."""


_SIGNED: Final = ("--artifacts-destination={uri}/client", "--artifacts-access=presigned")
PROXIED: Final = Mode(
    options=("--artifacts-destination={uri}/client",), calls=frozenset({"PUT artifacts", "GET artifacts"})
)
PRESIGNED: Final = Mode(options=_SIGNED, calls=frozenset({"POST mpu/create", "POST mpu/complete", "GET presigned"}))
PRESIGNED_TO_READ: Final = Mode(
    options=_SIGNED, limits=IN_ONE_PIECE, calls=frozenset({"PUT artifacts", "GET presigned"})
)
"""fake-gcs-server has no XML API, so none of Google's uploads in parts: test_signing.py looks at what that is asked."""
DIRECT: Final = Mode(options=("--default-artifact-root={uri}/client",), is_direct=True, calls=frozenset())
WAYS: Final = {
    **{f"{store}-proxied": (store, PROXIED) for store in REMOTE},
    "s3-presigned": ("s3", PRESIGNED),
    "gcs-presigned-to-read": ("gcs", PRESIGNED_TO_READ),
    "azure-presigned": ("azure", PRESIGNED),
    **{f"{store}-direct": (store, DIRECT) for store in REMOTE},
}


@pytest.fixture
def emulator(request: pytest.FixtureRequest) -> Emulator:
    found: Emulator = request.getfixturevalue(request.param)
    return found


@GROUP
@pytest.mark.parametrize(("emulator", "mode"), WAYS.values(), ids=WAYS, indirect=["emulator"])
def test_files_come_back_as_they_were(emulator: Emulator, google_key: Path, tmp_path: Path, mode: Mode) -> None:
    options = [option.format(uri=emulator.uri) for option in mode.options]
    keys: Mapping[str, str] = emulator.environ if mode.is_direct else {}
    signs = {"GOOGLE_APPLICATION_CREDENTIALS": str(google_key)} if emulator.name == "gcs" else {}
    with live_server(tmp_path, *options, environ={**emulator.environ, **signs}) as server:
        limits = {**SMALL_LIMITS, **mode.limits}
        told = last_line(run_script(SCRIPT, server.url, home=tmp_path, environ={**limits, **keys}))
    root = f"{emulator.uri}/client/" if mode.is_direct else "mlflow-artifacts:/"
    assert told["uri"].startswith(root)
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
