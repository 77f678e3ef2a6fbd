"""A container of Azure Blob Storage, through azure-storage-blob; Data Lake Storage by the same service.

An account with a hierarchical namespace has blobs that stand for folders. They carry a mark, and are no files.
"""

import base64
import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any, Final
from urllib.parse import quote

import requests
from azure.core import MatchConditions
from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential, TokenCredential
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import DefaultAzureCredential
from azure.storage.blob import (
    BlobBlock,
    BlobClient,
    BlobPrefix,
    BlobProperties,
    BlobSasPermissions,
    BlobServiceClient,
    ContainerClient,
    ContentSettings,
    ExponentialRetry,
    StorageStreamDownloader,
    UserDelegationKey,
    generate_blob_sas,
)
from requests.adapters import HTTPAdapter

from tracking_server.artifacts.addresses import AzureAddress, azure_account_key, has_azure_signature
from tracking_server.artifacts.azure_failures import code_of, translated
from tracking_server.artifacts.bucket import FoundObject, Page
from tracking_server.artifacts.headers import media_type
from tracking_server.artifacts.many import delete_each
from tracking_server.artifacts.options import StoreOptions
from tracking_server.artifacts.paths import name_of
from tracking_server.artifacts.ranges import span, total_of
from tracking_server.artifacts.signing import SentPart, SignedUrl, StartedParts
from tracking_server.artifacts.store import (
    ArtifactNotFound,
    ByteRange,
    FinalBytes,
    Leftover,
    RangeNotSatisfiable,
    Stat,
    StoreChanged,
    StoreMisconfigured,
    Wanted,
)
from tracking_server.errors import InvalidParameter, NotImplementedHere

CONNECT_SECONDS: Final = 10
TIMEOUT_SECONDS: Final = 600.0
CONNECTIONS: Final = 128
BACKOFF_SECONDS: Final = 0.5
PART_BYTES: Final = 5 * 1024 * 1024
PART_LIMIT: Final = 50_000
READ_BYTES: Final = 4 * 1024 * 1024
"""What one call reads: the most for which the service tells a checksum."""

_ATTEMPTS: Final = 4
_FOLDER_MARK: Final = "hdi_isfolder"
_GIVEN_UP_MARK: Final = "trackplane_given_up"


class _Retry(ExponentialRetry):
    """Four attempts, within seconds: whoever waits for the answer will try again too."""

    def __init__(self, backoff_seconds: float) -> None:
        super().__init__(retry_total=3)
        self._backoff_seconds = backoff_seconds

    def get_backoff_time(self, settings: dict[str, Any]) -> float:
        waits: float = self._backoff_seconds * 2.0 ** int(settings["count"])
        return waits * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def make_service(host: str, options: StoreOptions, *, backoff_seconds: float) -> BlobServiceClient:
    """By connection string, else key, else shared access signature, else what DefaultAzureCredential finds."""
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))
    timeout = options.timeout_seconds if options.timeout_seconds is not None else TIMEOUT_SECONDS
    arguments: dict[str, Any] = {
        "transport": RequestsTransport(session=session, session_owner=False),
        "connection_timeout": CONNECT_SECONDS,
        "read_timeout": timeout if timeout > 0 else None,
        "retry_policy": _Retry(backoff_seconds),
        "max_single_get_size": READ_BYTES,
        "max_chunk_get_size": READ_BYTES,
    }
    if options.azure_connection_string is not None:
        try:
            return BlobServiceClient.from_connection_string(options.azure_connection_string.reveal(), **arguments)
        except ValueError:
            raise StoreMisconfigured("AZURE_STORAGE_CONNECTION_STRING is no connection string.") from None
    address = options.azure_endpoint or f"https://{host}"
    try:
        return BlobServiceClient(address, credential=_credential(host, options), **arguments)
    except ValueError:
        raise StoreMisconfigured(
            "The options for Azure do not fit: an identity needs an address with https; without one, set a key."
        ) from None


def _credential(host: str, options: StoreOptions) -> AzureNamedKeyCredential | AzureSasCredential | TokenCredential:
    if options.azure_access_key is not None:
        return AzureNamedKeyCredential(host.partition(".")[0], options.azure_access_key.reveal())
    if options.azure_sas_token is not None:
        return AzureSasCredential(options.azure_sas_token.reveal().lstrip("?"))
    return DefaultAzureCredential(exclude_interactive_browser_credential=True)


class AzureContainer:
    """The client is made at the first call, so in the process that uses it."""

    part_bytes = PART_BYTES
    part_limit = signed_part_limit = PART_LIMIT
    span_bytes = None

    def __init__(
        self, address: AzureAddress, options: StoreOptions, *, backoff_seconds: float = BACKOFF_SECONDS
    ) -> None:
        self.uri = f"wasbs://{address.container}@{address.host}"
        self.address = address
        self.options = options
        self._backoff_seconds = backoff_seconds
        self._service: BlobServiceClient | None = None
        self.delegation: tuple[UserDelegationKey, datetime] | None = None
        self._lock = threading.Lock()

    @property
    def service(self) -> BlobServiceClient:
        if self._service is None:
            with self._lock:
                if self._service is None:
                    self._service = make_service(self.address.host, self.options, backoff_seconds=self._backoff_seconds)
        return self._service

    @property
    def container(self) -> ContainerClient:
        return self.service.get_container_client(self.address.container)

    def blob(self, name: str) -> BlobClient:
        return self.container.get_blob_client(name)

    def head(self, name: str) -> Stat:
        with translated(self.uri, "read"):
            found = self.blob(name).get_blob_properties()
        return _stat(_file(found, self.uri), found.size)

    def read(self, name: str, wanted: Wanted, etag: str | None = None) -> "AzureStream":
        if isinstance(wanted, FinalBytes):  # the service knows no such range
            stat = self.head(name)
            first, stop = span(wanted, stat.size_bytes)
            return self.read(name, ByteRange(first=first, last=stop - 1), etag or stat.etag)
        arguments: dict[str, Any] = {}
        if wanted is not None:
            arguments["offset"] = wanted.first
            arguments["length"] = None if wanted.last is None else wanted.last - wanted.first + 1
        if etag is not None:
            arguments |= {"etag": f'"{etag}"', "match_condition": MatchConditions.IfNotModified}
        with translated(self.uri, "read", size_bytes=lambda: self.head(name).size_bytes):
            found = self._begin(self.blob(name), arguments)
            if wanted is not None and not found.size:
                raise RangeNotSatisfiable(self.head(name).size_bytes)
            return AzureStream(self.uri, _file(found.properties, self.uri), found.size, found.chunks())

    def put(self, name: str, content: bytearray) -> Stat:
        with translated(self.uri, "write"):
            answer = self.blob(name).upload_blob(
                bytes(content),
                overwrite=True,
                validate_content=True,
                content_settings=ContentSettings(content_type=media_type(name)),
            )
        return _written(answer, len(content))

    def upload(self, name: str) -> "AzureUpload":
        return AzureUpload(self.uri, self.blob(name))

    def page(self, prefix: str, *, after: str = "", limit: int, is_deep: bool) -> Page:
        arguments: dict[str, Any] = {
            "name_starts_with": prefix or None,
            "include": ["metadata"],
            "results_per_page": limit,
        }
        container = self.container
        found = container.list_blobs(**arguments) if is_deep else container.walk_blobs(delimiter="/", **arguments)
        pages = found.by_page(after or None)
        with translated(self.uri, "list"):
            items = tuple(next(pages, ()))
        return Page(
            objects=tuple(_found(each) for each in items if not isinstance(each, BlobPrefix)),
            folders=tuple(each.name for each in items if isinstance(each, BlobPrefix)),
            next_after=getattr(pages, "continuation_token", None) or None,
        )

    def delete(self, objects: Sequence[FoundObject]) -> Sequence[Leftover]:
        return delete_each(objects, self._delete)

    def tidy(self, name: str) -> None:
        """Deletes the mark of a folder, which must be empty."""
        with suppress(ArtifactNotFound), translated(self.uri, "delete"):
            found = self.blob(name).get_blob_properties()
            if found.metadata.get(_FOLDER_MARK) == "true":
                self._delete(name)

    def close(self) -> None:
        service, self._service = self._service, None
        if service is not None:
            service.close()

    def sign_get(self, name: str, seconds: int) -> SignedUrl:
        disposition = f"attachment; filename*=UTF-8''{quote(name_of(name), safe='')}"
        return SignedUrl(url=self._signed(name, BlobSasPermissions(read=True), seconds, disposition))

    def sign_put(self, name: str, seconds: int) -> SignedUrl:
        url = self._signed(name, BlobSasPermissions(create=True, write=True), seconds)
        return SignedUrl(url=url, headers={"x-ms-blob-type": "BlockBlob", "Content-Type": media_type(name)})

    def start_parts(self, name: str, count: int, seconds: int) -> StartedParts:
        """Blocks need no start: the id of an upload is what the ids of its blocks begin with."""
        upload_id = token_hex(8)
        url = self._signed(name, BlobSasPermissions(create=True, write=True), seconds)
        names = [block_id(upload_id, number).encode() for number in range(1, count + 1)]
        blocks = [quote(base64.b64encode(name), safe="") for name in names]
        return StartedParts(
            upload_id=upload_id, parts=[SignedUrl(url=f"{url}&comp=block&blockid={each}") for each in blocks]
        )

    def complete_parts(self, name: str, upload_id: str, parts: Sequence[SentPart]) -> Stat:
        blocks = [BlobBlock(block_id(upload_id, each.number)) for each in parts]
        settings = ContentSettings(content_type=media_type(name))
        with translated(self.uri, "write"):
            try:
                self.blob(name).commit_block_list(blocks, content_settings=settings)
            except HttpResponseError as error:
                if code_of(error) != "InvalidBlockList":
                    raise
                raise InvalidParameter(
                    f"{self.uri} has not all parts of this upload: not all were sent, or it was given up, or another"
                    " one to the same path ended meanwhile. Begin again."
                ) from error
        return self.head(name)

    def abort_parts(self, name: str, upload_id: str) -> None:  # noqa: ARG002 - blocks go with their blob, not one by one
        give_up_blocks(self.uri, self.blob(name))

    def _signed(self, name: str, permission: BlobSasPermissions, seconds: int, disposition: str | None = None) -> str:
        """By the key of the account, else by a key that the service gives for the identity of the server."""
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        with translated(self.uri, "sign"):
            query = generate_blob_sas(
                account_name=str(self.service.account_name),
                container_name=self.address.container,
                blob_name=name,
                permission=permission,
                expiry=until,
                content_disposition=disposition,
                **self._key(until),
            )
        return f"{self.blob(name).url.partition('?')[0]}?{query}"

    def _key(self, until: datetime) -> dict[str, Any]:
        account_key = azure_account_key(self.options)
        if account_key is not None:
            return {"account_key": account_key.reveal()}
        if has_azure_signature(self.options):
            raise NotImplementedHere(
                f"Signed addresses are not possible for {self.uri}: a shared access signature cannot sign others. Give"
                " the server the key of the account, or an identity with the role Storage Blob Delegator."
            )
        return {"user_delegation_key": self._delegation_key(until)}

    def _delegation_key(self, until: datetime) -> UserDelegationKey:
        """Kept as long as it lasts: each costs a call."""
        with self._lock:
            if self.delegation is None or self.delegation[1] < until:
                now = datetime.now(UTC)
                ends = max(until, now + timedelta(hours=1))
                key = self.service.get_user_delegation_key(now - timedelta(minutes=5), ends)
                self.delegation = (key, ends)
            return self.delegation[0]

    @staticmethod
    def _begin(blob: BlobClient, arguments: dict[str, Any]) -> StorageStreamDownloader[bytes]:
        """Gets the first piece. Where that is cut off, the SDK does not try again."""

        def download() -> StorageStreamDownloader[bytes]:
            return blob.download_blob(encoding=None, validate_content=True, max_concurrency=1, **arguments)

        for _ in range(_ATTEMPTS - 1):
            with suppress(requests.RequestException):
                return download()
        return download()

    def _delete(self, name: str) -> None:
        with translated(self.uri, "delete"):
            self.blob(name).delete_blob(delete_snapshots="include")


class AzureStream:
    def __init__(self, uri: str, found: BlobProperties, length: int, chunks: Iterator[bytes]) -> None:
        content_range = str(found.content_range or "")
        self.start, total = total_of(content_range) if length else (0, 0)
        self.stop = self.start + length
        self.stat = _stat(found, total)
        self._uri = uri
        self._chunks = chunks
        self._chunk = memoryview(b"")

    def read(self, limit_bytes: int) -> bytes:
        if not self._chunk:
            with translated(self._uri, "read"):
                self._chunk = memoryview(next(self._chunks, b""))
        taken, self._chunk = self._chunk[:limit_bytes], self._chunk[limit_bytes:]
        return bytes(taken)

    def close(self) -> None:
        self._chunk = memoryview(b"")
        self._chunks = iter(())


class AzureUpload:
    """Blocks, named for this upload, that become a blob all at once."""

    def __init__(self, uri: str, blob: BlobClient) -> None:
        self._uri = uri
        self._blob = blob
        self._token = token_hex(8)
        self._blocks: list[BlobBlock] = []
        self._size_bytes = 0

    def add(self, part: bytearray) -> None:
        name = block_id(self._token, len(self._blocks) + 1)
        with translated(self._uri, "write"):
            self._blob.stage_block(name, bytes(part), length=len(part), validate_content=True)
        self._blocks.append(BlobBlock(name))
        self._size_bytes += len(part)

    def finish(self, last: bytearray) -> Stat:
        self.add(last)
        settings = ContentSettings(content_type=media_type(self._blob.blob_name))
        with translated(self._uri, "write"):
            answer = self._blob.commit_block_list(self._blocks, content_settings=settings)
        return _written(answer, self._size_bytes)

    def abort(self) -> None:
        if self._blocks:
            give_up_blocks(self._uri, self._blob)


def block_id(upload_id: str, number: int) -> str:
    """All blocks of a blob must have ids of one length. The SDK encodes them; an address has them encoded."""
    return f"{upload_id}-{number:05}"


def give_up_blocks(uri: str, blob: BlobClient) -> None:
    """The service has no call for it. Blocks go with the blob that they were for, so an empty one is made of none of
    them, marked as no file, and deleted. Where there is a blob already, nothing is risked: blocks that no list names go
    by themselves after a week."""
    with suppress(StoreChanged), translated(uri, "delete"):
        try:
            made = blob.commit_block_list(
                [], metadata={_GIVEN_UP_MARK: "true"}, match_condition=MatchConditions.IfMissing
            )
        except ResourceExistsError:
            return
        blob.delete_blob(etag=str(made["etag"]), match_condition=MatchConditions.IfNotModified)


def _file(found: BlobProperties, uri: str) -> BlobProperties:
    """Raises ArtifactNotFound for a blob that is none."""
    if _is_marked(found):
        raise ArtifactNotFound(f"{uri} has no such blob.")
    return found


def _is_marked(found: BlobProperties) -> bool:
    metadata: dict[str, str] = found.metadata or {}
    return "true" in {metadata.get(_FOLDER_MARK), metadata.get(_GIVEN_UP_MARK)}


def _found(found: BlobProperties) -> FoundObject:
    is_marker = _is_marked(found) or found.name.endswith("/")
    return FoundObject(
        name=found.name,
        size_bytes=found.size,
        is_marker=is_marker,
        modified_seconds=found.last_modified.timestamp(),
    )


def _stat(found: BlobProperties, size_bytes: int) -> Stat:
    return Stat(size_bytes=size_bytes, modified_seconds=found.last_modified.timestamp(), etag=found.etag.strip('"'))


def _written(answer: dict[str, Any], size_bytes: int) -> Stat:
    seconds: float = answer["last_modified"].timestamp()
    return Stat(size_bytes=size_bytes, modified_seconds=seconds, etag=str(answer["etag"]).strip('"'))
