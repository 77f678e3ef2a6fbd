"""Artifact stores to test: those of the server's own machine, and each object store over an emulator."""

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.emulators import AZURE_ACCOUNT, BUCKET, Emulator, azure_emulator, gcs_emulator, s3_emulator
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
    bucket = open_bucket("azure", BUCKET, StoreOptions.from_environ(azure.environ))
    assert isinstance(bucket, AzureContainer)
    yield bucket
    bucket.close()


@pytest.fixture(scope="session")
def google_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a service account that is nowhere."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file = tmp_path_factory.mktemp("google") / "key.json"
    file.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "p",
                "client_email": "trackplane@example.iam.gserviceaccount.com",
                "token_uri": "https://oauth2.googleapis.com/token",
                "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            }
        )
    )
    return file


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


def store_through(name: str, emulator: Emulator, url: str, *, bucket: str = BUCKET, **environ: str) -> ObjectStore:
    """A store over the emulator as it is reached at another address, such as that of a proxy, with more environment."""
    moved = {key: value.replace(_base(emulator.url), _base(url)) for key, value in emulator.environ.items()}
    options = StoreOptions.from_environ({**moved, "AWS_MAX_ATTEMPTS": "3", **environ})
    return ObjectStore(open_bucket(name, bucket, options), f"tests/{uuid.uuid4().hex}")


def open_bucket(name: str, bucket: str, options: StoreOptions) -> S3Bucket | GcsBucket | AzureContainer:
    if name == "s3":
        return S3Bucket(bucket, options)
    if name == "gcs":
        return GcsBucket(bucket, options, retry_seconds=1)
    address = parse_address(f"azure://{bucket}", options)
    assert isinstance(address, AzureAddress)
    return AzureContainer(address, options, backoff_seconds=0.05)


def unfinished_in(store: ObjectStore, folder: str = "") -> list[str]:
    """What the store holds of uploads that have not ended. Google's tells nobody."""
    prefix = store.name_of(folder)
    match store.bucket:
        case S3Bucket() as bucket:
            found = bucket.client.list_multipart_uploads(Bucket=bucket.name, Prefix=prefix)
            return [each.get("Key", "") for each in found.get("Uploads", ())]
        case AzureContainer() as bucket:
            blobs = bucket.container.list_blobs(name_starts_with=prefix, include=["uncommittedblobs"])
            committed = {blob.name for blob in bucket.container.list_blobs(name_starts_with=prefix)}
            return [blob.name for blob in blobs if blob.name not in committed]
        case _:
            return []


def _base(url: str) -> str:
    return url.removesuffix(f"/{AZURE_ACCOUNT}")
