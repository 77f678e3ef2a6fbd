"""Artifact stores to test: those of the server's own machine, and each object store over an emulator."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.emulators import BUCKET, Emulator, azure_emulator, gcs_emulator, s3_emulator
from tests.support.memory_bucket import MemoryBucket
from tracking_server.artifacts.addresses import AzureAddress, parse_address
from tracking_server.artifacts.azure_blob import AzureContainer
from tracking_server.artifacts.checked import CheckedStore
from tracking_server.artifacts.gcs import GcsBucket
from tracking_server.artifacts.local import LocalStore
from tracking_server.artifacts.memory import MemoryStore
from tracking_server.artifacts.objects import ObjectStore
from tracking_server.artifacts.options import StoreOptions
from tracking_server.artifacts.s3 import S3Bucket
from tracking_server.artifacts.store import ArtifactStore, Wanted

HERE: Final[dict[str, Callable[[Path], ArtifactStore]]] = {
    "local": lambda folder: LocalStore(folder / "root"),
    "memory": lambda _: MemoryStore(),
    "checked": lambda _: CheckedStore(MemoryStore()),
    "objects": lambda _: ObjectStore(MemoryBucket(), "prefix"),
}
REMOTE: Final = ("s3", "gcs", "azure")
GROUP: Final = pytest.mark.xdist_group("emulators")
"""With pytest-xdist, one worker runs them all: no emulator is started twice."""


def put(store: ArtifactStore, key: str, content: bytes) -> None:
    with store.create(key) as writer:
        writer.write(content)
        writer.commit()


def content_of(store: ArtifactStore, key: str, wanted: Wanted = None) -> bytes:
    with store.open(key, wanted) as reader:
        chunks: list[bytes] = []
        while chunk := reader.read(3):
            chunks.append(chunk)
    return b"".join(chunks)


def names_of(store: ArtifactStore, folder: str) -> list[str]:
    return [entry.name for entry in store.list(folder).entries]


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with s3_emulator(tmp_path_factory.mktemp("versitygw") / "files") as emulator:
        yield emulator


@pytest.fixture(scope="session")
def s3_bucket(s3: Emulator) -> Iterator[S3Bucket]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3.environ.items():
            patch.setenv(name, value)
        bucket = S3Bucket(BUCKET, StoreOptions.from_environ(s3.environ))
        yield bucket
        bucket.close()


@pytest.fixture(scope="session")
def gcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with gcs_emulator(tmp_path_factory.mktemp("fake-gcs-server") / "files") as emulator:
        yield emulator


@pytest.fixture(scope="session")
def gcs_bucket(gcs: Emulator) -> Iterator[GcsBucket]:
    bucket = GcsBucket(BUCKET, StoreOptions.from_environ(gcs.environ))
    yield bucket
    bucket.close()


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with azure_emulator(tmp_path_factory.mktemp("azurite") / "files") as emulator:
        yield emulator


@pytest.fixture(scope="session")
def azure_bucket(azure: Emulator) -> Iterator[AzureContainer]:
    options = StoreOptions.from_environ(azure.environ)
    address = parse_address(azure.uri, options)
    assert isinstance(address, AzureAddress)
    bucket = AzureContainer(address, options)
    yield bucket
    bucket.close()


@pytest.fixture(params=[*HERE, *(pytest.param(name, marks=GROUP) for name in REMOTE)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    name: str = request.param
    return HERE[name](tmp_path) if name in HERE else remote_store(request, name)


@pytest.fixture(params=[pytest.param(name, marks=GROUP) for name in REMOTE])
def object_store(request: pytest.FixtureRequest) -> ObjectStore:
    name: str = request.param
    return remote_store(request, name)


def remote_store(request: pytest.FixtureRequest, name: str) -> ObjectStore:
    """In a folder of its own in the one bucket."""
    return ObjectStore(request.getfixturevalue(f"{name}_bucket"), f"tests/{uuid.uuid4().hex}")
