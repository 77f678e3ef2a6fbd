"""Object stores that others wrote, to run against: versitygw for S3, fake-gcs-server for Google, Azurite for Azure.

`make emulators` puts them into the cache folder, built from their sources by Go and npm. Each is started at the first
test that asks for it, on a free port and an empty folder, once a session. Run as a program, this module puts them
there, or only the Go programs that it is told, and prints where those are.
"""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from azure.storage.blob import BlobServiceClient

from tests.support.environments import ROOT, cache_folder, only_one
from tests.support.left_out import leave_out

GO_MODULES: Final[Mapping[str, str]] = {
    "versitygw": "github.com/versity/versitygw/cmd/versitygw@v1.8.0",
    "fake-gcs-server": "github.com/fsouza/fake-gcs-server@v1.56.1",
}
AZURITE: Final = ROOT / "tests" / "support" / "azurite"
"""Its package.json and package-lock.json: the version, and the hashes of all that it needs."""
BUCKET: Final = "artifacts"
"""Of every emulator, made when it starts."""
AZURE_ACCOUNT: Final = "devstoreaccount1"
AZURE_KEY: Final = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The well-known one of every emulator."""
LITERAL_ACCOUNT: Final = "your_storage_account"
"""A second one, for the addresses of the documentation."""
START_SECONDS: Final = 60.0

S3_ENVIRON: Final[Mapping[str, str]] = {
    "AWS_ACCESS_KEY_ID": "emulated",
    "AWS_SECRET_ACCESS_KEY": "emulated-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Emulator:
    """`environ` is what a server, or a client of MLflow, is told to find it."""

    name: str
    url: str
    uri: str
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    folder: Path


@contextmanager
def s3_emulator(folder: Path) -> Generator[Emulator]:
    port = _free_port()
    (folder / BUCKET).mkdir(parents=True)
    command = [
        go_program("versitygw"), "--port", f"127.0.0.1:{port}", "--quiet", "--keep-alive", "posix", str(folder)
    ]  # fmt: skip
    environ = {
        "ROOT_ACCESS_KEY_ID": S3_ENVIRON["AWS_ACCESS_KEY_ID"],
        "ROOT_SECRET_ACCESS_KEY": S3_ENVIRON["AWS_SECRET_ACCESS_KEY"],
    }
    url = f"http://127.0.0.1:{port}"
    with _running(command, environ, url, folder.with_suffix(".log")):
        yield Emulator(
            name="s3",
            url=url,
            uri=f"s3://{BUCKET}",
            environ={**S3_ENVIRON, "MLFLOW_S3_ENDPOINT_URL": url},
            folder=folder,
        )


@contextmanager
def gcs_emulator(folder: Path, *, keeps_files: bool = False) -> Generator[Emulator]:
    """In memory, unless it `keeps_files` in the folder."""
    port = _free_port()
    (folder / BUCKET).mkdir(parents=True)
    url = f"http://127.0.0.1:{port}"
    kept = ["-filesystem-root", str(folder)] if keeps_files else ["-backend", "memory", "-data", str(folder)]
    command = [
        go_program("fake-gcs-server"), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port),
        "-log-level", "warn", "-external-url", url, "-public-host", f"127.0.0.1:{port}", *kept,
    ]  # fmt: skip
    with _running(command, {}, url, folder.with_suffix(".log")):
        yield Emulator(name="gcs", url=url, uri=f"gs://{BUCKET}", environ={"STORAGE_EMULATOR_HOST": url}, folder=folder)


@contextmanager
def azure_emulator(folder: Path) -> Generator[Emulator]:
    port = _free_port()
    folder.mkdir(parents=True)
    url = f"http://127.0.0.1:{port}"
    account_url = f"{url}/{AZURE_ACCOUNT}"
    command = [
        azurite(), "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder),
        "--silent", "--skipApiVersionCheck", "--disableTelemetry",
    ]  # fmt: skip
    connection_string = (
        f"DefaultEndpointsProtocol=http;AccountName={AZURE_ACCOUNT};AccountKey={AZURE_KEY};BlobEndpoint={account_url};"
    )
    accounts = {"AZURITE_ACCOUNTS": f"{AZURE_ACCOUNT}:{AZURE_KEY};{LITERAL_ACCOUNT}:{AZURE_KEY}"}
    with _running(command, accounts, url, folder.with_suffix(".log")):
        with BlobServiceClient.from_connection_string(connection_string) as service:
            service.get_container_client(BUCKET).create_container()
        yield Emulator(
            name="azure",
            url=account_url,
            uri=f"wasbs://{BUCKET}@{AZURE_ACCOUNT}.blob.core.windows.net",
            environ={"AZURE_STORAGE_CONNECTION_STRING": connection_string},
            folder=folder,
        )


def azurite() -> str:
    path = _azurite_folder() / "node_modules" / ".bin" / "azurite-blob"
    if not path.exists():
        leave_out("azurite (make emulators makes it)")
    return str(path)


def go_program(name: str) -> str:
    path = cache_folder() / "bin" / _versioned(name)
    if not path.exists():
        leave_out(f"{name} (make emulators makes it)")
    return str(path)


def install() -> None:
    """What is there already stays."""
    for name in GO_MODULES:
        install_go_program(name)
    with _only_installer():
        if not (_azurite_folder() / "node_modules" / ".bin" / "azurite-blob").exists():
            shutil.copytree(AZURITE, _azurite_folder(), dirs_exist_ok=True)
            npm = shutil.which("npm") or "npm"
            subprocess.run(
                [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], check=True, cwd=_azurite_folder()
            )


def install_go_program(name: str) -> Path:
    folder = cache_folder() / "bin"
    program = folder / _versioned(name)
    go = shutil.which("go") or "/usr/local/go/bin/go"
    with _only_installer():
        if not program.exists():
            folder.mkdir(parents=True, exist_ok=True)
            environ = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
            subprocess.run([go, "install", GO_MODULES[name]], check=True, env=environ)
            (folder / name).rename(program)
    return program


def _only_installer() -> AbstractContextManager[None]:
    cache_folder().mkdir(parents=True, exist_ok=True)
    return only_one(cache_folder() / "emulators.lock")


def _azurite_folder() -> Path:
    recipe = hashlib.sha256((AZURITE / "package-lock.json").read_bytes()).hexdigest()[:16]
    return cache_folder() / f"azurite-{recipe}"


def _versioned(name: str) -> str:
    return f"{name}-{GO_MODULES[name].rpartition('@')[2]}"


@contextmanager
def _running(command: Sequence[str], environ: Mapping[str, str], url: str, log: Path) -> Generator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **environ})
    try:
        _wait(url, process, log)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Any answer will do."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError as answer:
            answer.close()
        except OSError:
            time.sleep(0.05)
            continue
        return
    raise RuntimeError(f"{url} does not answer:\n{log.read_text(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


if __name__ == "__main__":
    if names := sys.argv[1:]:
        print(*map(install_go_program, names), sep="\n")
    else:
        install()
