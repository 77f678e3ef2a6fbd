"""Environments of their own for what never runs in ours: the unmodified mlflow client, and MLflow's own server.

They live in the cache folder, one for each content of their requirement file, and are made once however many processes
ask at the same time. Run as a program, this module makes those of all clients and prints the main one's Python.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.prefix) / "bin" / "uv"

MAIN_CLIENT: Final = "3.17"
CLIENTS: Final = {MAIN_CLIENT: "client", "2.22": "client-2.22", "newest": "client-newest"}
"""The requirement file of each version of the client."""


def cache_folder() -> Path:
    return Path(os.environ.get("TRACKPLANE_CACHE") or Path.home() / ".cache" / "trackplane")


def client_python(version: str = MAIN_CLIENT) -> Path:
    """The Python of an environment with mlflow, which is made when it is not there yet.

    The main one has MLflow's server, scikit-learn and pandas too, the others only what the client cannot do without.
    """
    name = CLIENTS[version]
    return make_environment(name, ROOT / "requirements" / f"{name}.txt") / "bin" / "python"


def make_environment(name: str, requirements: Path) -> Path:
    recipe = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = cache_folder() / f"{name}-{recipe}"
    ready = folder / ".ready"
    if not ready.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with only_one(folder.with_name(f"{folder.name}.lock")):
            if not ready.exists():
                run_quietly(UV, "venv", "--clear", "--python", sys.executable, folder)
                run_quietly(UV, "pip", "sync", "--require-hashes", "--python", folder / "bin" / "python", requirements)
                ready.touch()
    return folder


@contextmanager
def only_one(lock: Path) -> Generator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run_quietly(*command: str | Path) -> None:
    finished = subprocess.run([str(word) for word in command], check=False, capture_output=True, text=True)
    if finished.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{finished.stdout}{finished.stderr}")


if __name__ == "__main__":
    for client in CLIENTS:
        client_python(client)
    print(client_python())
