"""A bucket of Google Cloud Storage, through google-cloud-storage.

Bytes are read by one request of our own: the library either holds what it downloads, or makes a request for each piece.
"""

import base64
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import quote
from xml.sax.saxutils import escape, unescape

import google.auth
import google_crc32c
import requests
from google.auth.credentials import AnonymousCredentials, Credentials, Signing
from google.auth.transport.requests import AuthorizedSession, Request
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.fileio import BlobWriter
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.adapters import HTTPAdapter

from tracking_server.artifacts.bucket import FoundObject, Page
from tracking_server.artifacts.gcs_failures import missing_bucket, translated
from tracking_server.artifacts.headers import media_type, seconds_of
from tracking_server.artifacts.many import delete_each
from tracking_server.artifacts.options import StoreOptions
from tracking_server.artifacts.paths import name_of
from tracking_server.artifacts.ranges import range_header, total_of
from tracking_server.artifacts.signing import SentPart, SignedUrl, StartedParts
from tracking_server.artifacts.store import (
    ArtifactNotFound,
    Leftover,
    RangeNotSatisfiable,
    Stat,
    StoreDenied,
    StoreUnavailable,
    Wanted,
)
from tracking_server.errors import InvalidParameter

T = TypeVar("T")

_UPLOAD_ID: Final = re.compile(r"<UploadId>([^<]+)</UploadId>")

PUBLIC_ENDPOINT: Final = "https://storage.googleapis.com"
SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
CONNECT_SECONDS: Final = 10.0
TIMEOUT_SECONDS: Final = 60.0
CONNECTIONS: Final = 128
PART_BYTES: Final = 5 * 1024 * 1024
PART_LIMIT: Final = 1_000_000_000
"""There is none: a resumable upload has as many pieces as it takes."""
_default_credentials: Callable[..., tuple[Credentials, str | None]] = google.auth.default  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - no annotations
RETRY_SECONDS: Final = 15.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Connected:
    client: storage.Client
    bucket: storage.Bucket
    session: requests.Session
    credentials: Credentials


def connect(name: str, options: StoreOptions) -> Connected:
    """With the default credentials of Google, or without any where they would travel unencrypted: an emulator."""
    if options.gcs_endpoint.startswith("http://"):
        credentials: Credentials = AnonymousCredentials()
        project = None
    else:
        credentials, project = _default_credentials(scopes=[SCOPE])
    session = AuthorizedSession(credentials)
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))
    client = storage.Client(
        project=project or "-",
        credentials=credentials,
        _http=session,
        client_options={"api_endpoint": options.gcs_endpoint} if options.gcs_endpoint else None,
    )
    return Connected(client=client, bucket=client.bucket(name), session=session, credentials=credentials)


class GcsBucket:
    """The client is made at the first call, so in the process that uses it."""

    part_limit = PART_LIMIT
    signed_part_limit = 10_000

    def __init__(self, bucket: str, options: StoreOptions, *, retry_seconds: float = RETRY_SECONDS) -> None:
        self.uri = f"gs://{bucket}"
        self.name = bucket
        self.endpoint = options.gcs_endpoint or PUBLIC_ENDPOINT
        self.part_bytes = options.gcs_upload_chunk_bytes or PART_BYTES
        self.span_bytes = options.gcs_download_chunk_bytes
        self._options = options
        self._retry = DEFAULT_RETRY.with_timeout(retry_seconds).with_delay(0.2, 3.0, 2.0)
        self._timeout = _timeout(options.timeout_seconds)
        self._connected: Connected | None = None
        self._lock = threading.Lock()

    @property
    def connected(self) -> Connected:
        if self._connected is None:
            with self._lock:
                if self._connected is None:
                    self._connected = self._connect()
        return self._connected

    def _connect(self) -> Connected:
        try:
            with translated(self.uri, "read"):
                return connect(self.name, self._options)
        except ValueError as error:  # of a file that is no key, or an answer that is no JSON
            raise StoreDenied(
                f"{self.uri}: the credentials of the server cannot be read: check GOOGLE_APPLICATION_CREDENTIALS."
            ) from error

    def head(self, name: str) -> Stat:
        blob = self.blob(name)
        with translated(self.uri, "read"):
            blob.reload(timeout=self._timeout, retry=self._retry)
        return _stat(blob)

    def read(self, name: str, wanted: Wanted, etag: str | None = None) -> "GcsStream":
        headers = {"Accept-Encoding": "gzip"}  # what is stored packed comes as it is stored
        if wanted is not None:
            headers["Range"] = range_header(wanted)
        with translated(self.uri, "read"):
            answer = self._retry(partial(self._get, name, headers, etag))()
        if answer.status_code == 416:
            content_range = answer.headers.get("Content-Range", "")
            answer.close()
            raise RangeNotSatisfiable(int(content_range.rpartition("/")[2] or 0))
        return GcsStream(self.uri, answer)

    def put(self, name: str, content: bytearray) -> Stat:
        blob = self.blob(name)
        self.in_bucket(
            "write",
            lambda: blob.upload_from_string(
                bytes(content),
                content_type=media_type(name),
                timeout=self._timeout,
                checksum="crc32c",
                retry=self._retry,
            ),
        )
        return _stat(blob)

    def upload(self, name: str) -> "GcsUpload":
        return GcsUpload(self, name)

    def page(self, prefix: str, *, after: str = "", limit: int, is_deep: bool) -> Page:
        found = self.connected.client.list_blobs(
            self.connected.bucket,
            page_size=limit,
            page_token=after or None,
            prefix=prefix,
            delimiter=None if is_deep else "/",
            fields="items(name,size,updated),prefixes,nextPageToken",
            timeout=self._timeout,
            retry=self._retry,
        )
        objects = self.in_bucket("list", lambda: tuple(_found(blob) for blob in next(found.pages, ())))
        return Page(objects=objects, folders=tuple(found.prefixes), next_after=found.next_page_token or None)

    def delete(self, objects: Sequence[FoundObject]) -> Sequence[Leftover]:
        return delete_each(objects, self._delete)

    def tidy(self, name: str) -> None:
        """Google tells nobody of them, and forgets them after a week."""

    def blob(self, name: str) -> storage.Blob:
        return self.connected.bucket.blob(name)

    def writer(self, name: str) -> BlobWriter:
        return BlobWriter(
            self.blob(name),
            chunk_size=self.part_bytes,
            retry=self._retry,
            content_type=media_type(name),
            timeout=self._timeout,
            checksum="crc32c",
        )

    def sign_get(self, name: str, seconds: int) -> SignedUrl:
        disposition = f"attachment; filename*=UTF-8''{quote(name_of(name), safe='')}"
        return SignedUrl(url=self._signed(name, "GET", seconds, response_disposition=disposition))

    def sign_put(self, name: str, seconds: int) -> SignedUrl:
        content_type = media_type(name)
        url = self._signed(name, "PUT", seconds, content_type=content_type)
        return SignedUrl(url=url, headers={"Content-Type": content_type})

    def start_parts(self, name: str, count: int, seconds: int) -> StartedParts:
        """By the XML API, which alone has uploads in parts."""
        headers = {"Content-Type": media_type(name)}
        started = self.in_bucket("write", lambda: self._xml("POST", name, {"uploads": ""}, headers=headers))
        found = _UPLOAD_ID.search(started.text)
        if found is None:
            raise StoreUnavailable(f"{self.uri} started an upload without telling which. Try again.")
        upload_id = unescape(found[1])
        return StartedParts(
            upload_id=upload_id,
            parts=[
                SignedUrl(url=self._signed(name, "PUT", seconds, query_parameters=_part(upload_id, number)))
                for number in range(1, count + 1)
            ],
        )

    def complete_parts(self, name: str, upload_id: str, parts: Sequence[SentPart]) -> Stat:
        listed = "".join(
            f"<Part><PartNumber>{each.number}</PartNumber><ETag>{escape(each.etag)}</ETag></Part>" for each in parts
        )
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        with translated(self.uri, "write"):
            try:
                self._xml("POST", name, {"uploadId": upload_id}, body=body)
            except InvalidResponse as error:
                if error.response.status_code == 400:
                    raise InvalidParameter(
                        "A part of the upload is not in the store, has another ETag, or is smaller than 5 MiB."
                    ) from error
                raise
        return self.head(name)

    def abort_parts(self, name: str, upload_id: str) -> None:
        with suppress(ArtifactNotFound), translated(self.uri, "write"):
            self._xml("DELETE", name, {"uploadId": upload_id})

    def _xml(
        self,
        method: str,
        name: str,
        query: Mapping[str, str],
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        def attempt() -> requests.Response:
            answer = self.connected.session.request(
                method,
                f"{self.endpoint}/{quote(self.name, safe='')}/{quote(name, safe='/~')}",
                params=query,
                data=body,
                headers=headers,
                timeout=(CONNECT_SECONDS, self._timeout),
            )
            if answer.status_code >= 400:
                raise InvalidResponse(answer, f"status {answer.status_code}")
            return answer

        return self._retry(attempt)()

    def _signed(self, name: str, method: str, seconds: int, **more: Any) -> str:
        """By the private key of a service account, or by Google (signBlob) for an identity that has none."""
        with translated(self.uri, "sign"):
            credentials = self._signing_credentials()
            given: dict[str, Any] = {"credentials": credentials}
            if not isinstance(credentials, Signing):
                credentials.refresh(Request())  # pyright: ignore[reportUnknownMemberType] - no annotations
                given = {
                    "service_account_email": getattr(credentials, "service_account_email", None),
                    "access_token": credentials.token,
                }
            return self.blob(name).generate_signed_url(
                version="v4",
                expiration=timedelta(seconds=seconds),
                method=method,
                api_access_endpoint=self.endpoint,
                **given,
                **more,
            )

    def _signing_credentials(self) -> Credentials:
        """Nothing is sent with them, so they serve for an emulator too."""
        if isinstance(self.connected.credentials, AnonymousCredentials):
            return _default_credentials(scopes=[SCOPE])[0]
        return self.connected.credentials

    def drop(self, name: str) -> None:
        """Deletes what was found to be damaged, unless somebody has replaced it since."""
        blob = self.blob(name)
        blob.reload(timeout=self._timeout, retry=self._retry)
        blob.delete(if_generation_match=blob.generation, timeout=self._timeout, retry=self._retry)

    def close(self) -> None:
        connected, self._connected = self._connected, None
        if connected is not None:
            connected.client.close()

    def _get(self, name: str, headers: dict[str, str], etag: str | None) -> requests.Response:
        """An answer that must be tried again is raised, and so is every other that gives no bytes."""
        query = {"alt": "media"} if etag is None else {"alt": "media", "generation": etag}
        answer = self.connected.session.get(
            f"{self.endpoint}/download/storage/v1/b/{quote(self.name, safe='')}/o/{quote(name, safe='')}",
            params=query,
            headers=headers,
            stream=True,
            timeout=(CONNECT_SECONDS, self._timeout),
        )
        if answer.status_code in {200, 206, 416}:
            return answer
        answer.close()
        raise InvalidResponse(answer, f"status {answer.status_code}")

    def _delete(self, name: str) -> None:
        with translated(self.uri, "delete"):
            self.blob(name).delete(timeout=self._timeout, retry=self._retry)

    def in_bucket(self, action: str, call: Callable[[], T]) -> T:
        """Where no object is named that may be missing, what is missing is the bucket."""
        try:
            with translated(self.uri, action):
                return call()
        except ArtifactNotFound as error:
            raise missing_bucket(self.uri) from error


class GcsStream:
    def __init__(self, uri: str, answer: requests.Response) -> None:
        self._uri = uri
        self._answer = answer
        content_range = answer.headers.get("Content-Range", "")
        length = int(answer.headers["Content-Length"])
        self.start, total = total_of(content_range) if content_range else (0, length)
        self.stop = self.start + length
        self.stat = Stat(
            size_bytes=total,
            modified_seconds=seconds_of(answer.headers.get("Last-Modified", "")),
            etag=answer.headers.get("X-Goog-Generation", ""),
        )
        self._left = length
        self._expected = _crc32c_of(answer.headers.get("X-Goog-Hash", "")) if length == total else None
        self._checksum = 0

    def read(self, limit_bytes: int) -> bytes:
        """The checksum of a whole file is compared before its last byte is given."""
        if not self._left:
            return b""
        with translated(self._uri, "read"):
            chunk: bytes = self._answer.raw.read(min(limit_bytes, self._left), decode_content=False)
        self._left -= len(chunk)
        if self._expected is not None:
            self._checksum = google_crc32c.extend(self._checksum, chunk)
            if not self._left and self._checksum != self._expected:
                raise StoreUnavailable(f"What {self._uri} sends does not have the checksum that it tells. Try again.")
        return chunk

    def close(self) -> None:
        self._answer.close()


class GcsUpload:
    """A resumable upload."""

    def __init__(self, bucket: GcsBucket, name: str) -> None:
        self._bucket = bucket
        self._name = name
        self._writer = bucket.writer(name)
        self._has_begun = False

    def add(self, part: bytearray) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._bucket.in_bucket("write", lambda: self._writer.write(part))
            return
        try:
            with translated(self._bucket.uri, "write"):
                self._writer.write(part)
        except ArtifactNotFound as error:
            raise StoreUnavailable(f"{self._bucket.uri} has forgotten the upload. Try again.") from error

    def finish(self, last: bytearray) -> Stat:
        self.add(last)
        with translated(self._bucket.uri, "write"):
            try:
                self._writer.close()
            except DataCorruption:
                self._bucket.drop(self._name)
                raise
        return self._bucket.head(self._name)

    def abort(self) -> None:
        with translated(self._bucket.uri, "write"):
            self._writer.terminate()


def _part(upload_id: str, number: int) -> Mapping[str, str]:
    return {"partNumber": str(number), "uploadId": upload_id}


def _found(blob: storage.Blob) -> FoundObject:
    return FoundObject(
        name=blob.name,
        size_bytes=blob.size or 0,
        is_marker=blob.name.endswith("/"),
        modified_seconds=blob.updated.timestamp() if blob.updated else None,
    )


def _stat(blob: storage.Blob) -> Stat:
    return Stat(
        size_bytes=blob.size or 0,
        modified_seconds=blob.updated.timestamp() if blob.updated else 0.0,
        etag=str(blob.generation or ""),
    )


def _timeout(seconds: float | None) -> float | None:
    if seconds is None:
        return TIMEOUT_SECONDS
    return seconds if seconds > 0 else None


def _crc32c_of(hashes: str) -> int | None:
    for each in hashes.split(","):
        name, _, value = each.strip().partition("=")
        if name == "crc32c":
            return int.from_bytes(base64.b64decode(value), "big")
    return None
