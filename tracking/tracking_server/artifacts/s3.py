"""A bucket of S3, or of a server that speaks its protocol, through boto3."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tracking_server.artifacts.bucket import FoundObject, Page
from tracking_server.artifacts.headers import media_type, seconds_of
from tracking_server.artifacts.options import StoreOptions
from tracking_server.artifacts.paths import name_of
from tracking_server.artifacts.ranges import range_header, total_of
from tracking_server.artifacts.s3_failures import code_of, translated
from tracking_server.artifacts.signing import SentPart, SignedUrl, StartedParts
from tracking_server.artifacts.store import (
    ArtifactNotFound,
    Leftover,
    Stat,
    StoreDenied,
    StoreMisconfigured,
    StoreUnavailable,
    Wanted,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        CompletedPartTypeDef,
        GetObjectOutputTypeDef,
        HeadObjectOutputTypeDef,
    )

CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 60
COMPLETE_SECONDS: Final = 900
"""How long a store may put the parts of a large file together before it answers: some copy them all."""

CONNECTIONS: Final = 128
PART_BYTES: Final = 5 * 1024 * 1024
PART_LIMIT: Final = 10_000
_LASTING: Final = frozenset({"AccessDenied", "InvalidObjectState", "MethodNotAllowed"})
_JUST_NOW_SECONDS: Final = 900
_NO_ANSWER: Final[Any] = {
    "RequestId": "",
    "HostId": "",
    "HTTPStatusCode": 301,
    "HTTPHeaders": {},
    "RetryAttempts": 0,
}


def make_client(session: boto3.session.Session, options: StoreOptions, read_seconds: int = READ_SECONDS) -> "S3Client":
    """Credentials, region, profile, role and web identity are those that boto3 finds."""
    config = Config(
        signature_version=options.s3_signature_version,
        s3={"addressing_style": options.s3_addressing_style},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        max_pool_connections=CONNECTIONS,
        retries={"mode": options.s3_retry_mode, "total_max_attempts": options.s3_max_attempts},
        user_agent_extra="trackplane",
    )
    client: S3Client = session.client(  # pyright: ignore[reportUnknownMemberType] - of other services
        "s3",
        endpoint_url=options.s3_endpoint_url or None,
        verify=False if options.s3_ignores_tls else None,
        config=config,
    )
    client.meta.events.register("before-call.s3.HeadBucket", _unasked)
    return client


def _unasked(**_: object) -> None:
    """Only boto3 itself asks for a bucket, when a redirection names no region; a redirection as the answer to that
    would make it ask again, without end."""
    raise ClientError({"ResponseMetadata": _NO_ANSWER}, "HeadBucket")


class S3Bucket:
    """The client is made at the first call, so in the process that uses it."""

    part_bytes = PART_BYTES
    part_limit = signed_part_limit = PART_LIMIT
    span_bytes = None

    def __init__(self, bucket: str, options: StoreOptions) -> None:
        self.uri = f"s3://{bucket}"
        self.name = bucket
        self._options = options
        self._clients: tuple[S3Client, S3Client] | None = None
        self._lock = threading.Lock()

    @property
    def client(self) -> "S3Client":
        return self._both()[0]

    def _both(self) -> "tuple[S3Client, S3Client]":
        """The second one is patient. It must be: a completion that is asked for again while the first one is under way
        fails both."""
        if self._clients is None:
            with self._lock:
                if self._clients is None:
                    with translated(self.uri, "reach"):
                        session = boto3.session.Session()
                        patient = make_client(session, self._options, COMPLETE_SECONDS)
                        self._clients = make_client(session, self._options), patient
        return self._clients

    def head(self, name: str) -> Stat:
        with translated(self.uri, "read"):
            answer = self.client.head_object(**self._arguments("HeadObject", Key=name))
        return _stat(answer, answer["ContentLength"])

    def read(self, name: str, wanted: Wanted, etag: str | None = None) -> "S3Stream":
        arguments: dict[str, Any] = {"Key": name}
        if wanted is not None:
            arguments["Range"] = range_header(wanted)
        if etag is not None:
            arguments["IfMatch"] = f'"{etag}"'
        with translated(self.uri, "read", size_bytes=lambda: self.head(name).size_bytes):
            answer = self.client.get_object(**self._arguments("GetObject", **arguments))
        return S3Stream(self.uri, answer, wanted)

    def put(self, name: str, content: bytearray) -> Stat:
        arguments = self._arguments("PutObject", Key=name, Body=content, ContentType=media_type(name))
        with translated(self.uri, "write"):
            answer = self.client.put_object(**arguments)
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        return Stat(size_bytes=len(content), modified_seconds=seconds_of(date), etag=answer["ETag"].strip('"'))

    def upload(self, name: str) -> "S3Upload":
        with translated(self.uri, "write"):
            answer = self.client.create_multipart_upload(
                **self._arguments("CreateMultipartUpload", Key=name, ContentType=media_type(name), **self._checksum)
            )
        return S3Upload(self, name, answer["UploadId"])

    def put_part(self, name: str, upload_id: str, number: int, part: bytearray) -> "CompletedPartTypeDef":
        arguments = self._arguments(
            "UploadPart", Key=name, UploadId=upload_id, PartNumber=number, Body=part, **self._checksum
        )
        with translated(self.uri, "write"):
            answer = self.client.upload_part(**arguments)
        completed: CompletedPartTypeDef = {"PartNumber": number, "ETag": answer["ETag"]}
        if checksum := answer.get("ChecksumCRC32"):
            completed["ChecksumCRC32"] = checksum
        return completed

    def page(self, prefix: str, *, after: str = "", limit: int, is_deep: bool) -> Page:
        arguments: dict[str, Any] = {"Prefix": prefix, "MaxKeys": limit}
        if not is_deep:
            arguments["Delimiter"] = "/"
        if after:
            arguments["ContinuationToken"] = after
        with translated(self.uri, "list"):
            answer = self.client.list_objects_v2(**self._arguments("ListObjectsV2", **arguments))
        objects = tuple(
            FoundObject(
                name=name,
                size_bytes=each.get("Size", 0),
                is_marker=name.endswith("/"),
                modified_seconds=each["LastModified"].timestamp() if "LastModified" in each else None,
            )
            for each in answer.get("Contents", ())
            if (name := each.get("Key"))
        )
        folders = tuple(each.get("Prefix", "") for each in answer.get("CommonPrefixes", ()))
        more = answer.get("NextContinuationToken") if answer.get("IsTruncated") else None
        return Page(objects=objects, folders=folders, next_after=more)

    def delete(self, objects: Sequence[FoundObject]) -> Sequence[Leftover]:
        names = {"Objects": [{"Key": each.name} for each in objects], "Quiet": True}
        with translated(self.uri, "delete"):
            answer = self.client.delete_objects(**self._arguments("DeleteObjects", Delete=names))
        return tuple(
            Leftover(key=each.get("Key", ""), reason=f"the store says {code}", is_lasting=code in _LASTING)
            for each in answer.get("Errors", ())
            if (code := each.get("Code", "")) != "NoSuchKey"
        )

    def tidy(self, name: str) -> None:
        """Gives up unfinished uploads. Listing them is a right of its own: without it, a rule of the bucket must do."""
        for key, upload_id in self._unfinished(name):
            with suppress(StoreDenied, StoreUnavailable):
                self.abort(key, upload_id)

    def _unfinished(self, name: str) -> Iterator[tuple[str, str]]:
        markers: dict[str, Any] | None = {}
        while markers is not None:
            arguments = self._arguments("ListMultipartUploads", Prefix=name, **markers)
            try:
                answer = self.client.list_multipart_uploads(**arguments)
            except (ClientError, BotoCoreError):
                return
            for each in answer.get("Uploads", ()):
                key = each.get("Key", "")
                if key == name or key.startswith(f"{name}/"):
                    yield key, each.get("UploadId", "")
            more = answer.get("IsTruncated", False)
            markers = (
                {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer["NextUploadIdMarker"]} if more else None
            )

    def abort(self, name: str, upload_id: str) -> None:
        with suppress(ArtifactNotFound), translated(self.uri, "write"):
            self.client.abort_multipart_upload(**self._arguments("AbortMultipartUpload", Key=name, UploadId=upload_id))

    def complete(self, name: str, upload_id: str, parts: Sequence["CompletedPartTypeDef"]) -> Stat:
        """A repetition of a completion that had come through finds no upload any more: then the object tells."""
        arguments = self._arguments(
            "CompleteMultipartUpload", Key=name, UploadId=upload_id, MultipartUpload={"Parts": parts}
        )
        with translated(self.uri, "write"):
            try:
                self._both()[1].complete_multipart_upload(**arguments)
            except ClientError as error:
                if code_of(error) != "NoSuchUpload" or not self._is_complete(name, len(parts)):
                    raise
        return self.head(name)

    def _is_complete(self, name: str, parts: int) -> bool:
        with suppress(ArtifactNotFound):
            stat = self.head(name)
            return stat.etag.endswith(f"-{parts}") and stat.modified_seconds > time.time() - _JUST_NOW_SECONDS
        return False

    def sign_get(self, name: str, seconds: int) -> SignedUrl:
        disposition = f"attachment; filename*=UTF-8''{quote(name_of(name), safe='')}"
        return self._signed("get_object", "GetObject", seconds, Key=name, ResponseContentDisposition=disposition)

    def sign_put(self, name: str, seconds: int) -> SignedUrl:
        return self._signed("put_object", "PutObject", seconds, Key=name, ContentType=media_type(name))

    def start_parts(self, name: str, count: int, seconds: int) -> StartedParts:
        """Without checksums: clients do not know of them."""
        with translated(self.uri, "write"):
            answer = self.client.create_multipart_upload(
                **self._arguments("CreateMultipartUpload", Key=name, ContentType=media_type(name))
            )
        upload_id = answer["UploadId"]
        parts = [
            self._signed("upload_part", "UploadPart", seconds, Key=name, UploadId=upload_id, PartNumber=number)
            for number in range(1, count + 1)
        ]
        return StartedParts(upload_id=upload_id, parts=parts)

    def complete_parts(self, name: str, upload_id: str, parts: Sequence[SentPart]) -> Stat:
        return self.complete(name, upload_id, [{"PartNumber": each.number, "ETag": each.etag} for each in parts])

    def abort_parts(self, name: str, upload_id: str) -> None:
        self.abort(name, upload_id)

    def _signed(self, method: str, operation: str, seconds: int, **arguments: Any) -> SignedUrl:
        given = self._arguments(operation, **arguments)
        with translated(self.uri, "reach"):
            url = self.client.generate_presigned_url(method, Params=given, ExpiresIn=seconds)
        return SignedUrl(url=url, headers=self._headers(operation, given))

    def _headers(self, operation: str, arguments: Mapping[str, object]) -> dict[str, str]:
        """The arguments that travel as headers: they are signed, so the client must send them too."""
        shape = self.client.meta.service_model.operation_model(operation).input_shape
        headers: dict[str, str] = {}
        for name, value in arguments.items():
            serialization: Mapping[str, str] = shape.members[name].serialization if shape else {}
            if serialization.get("location") == "header":
                headers[serialization["name"]] = str(value)
            elif serialization.get("location") == "headers":
                pairs = msgspec.convert(value, dict[str, str])
                headers |= {f"{serialization['name']}{key}": text for key, text in pairs.items()}
        return headers

    def close(self) -> None:
        clients, self._clients = self._clients, None
        for client in clients or ():
            client.close()

    @property
    def _checksum(self) -> dict[str, str]:
        """Parts have checksums if whole files have: AWS_REQUEST_CHECKSUM_CALCULATION turns both off."""
        return {"ChecksumAlgorithm": "CRC32"} if self._has_checksums else {}

    @property
    def _has_checksums(self) -> bool:
        calculated: str = getattr(self.client.meta.config, "request_checksum_calculation", "")
        return calculated != "when_required"

    def _arguments(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """With the configured ones that the operation takes; those of the caller count more."""
        shape = self.client.meta.service_model.operation_model(operation).input_shape
        members = shape.members if shape else {}
        configured = {
            **{name: value for name, value in self._options.s3_upload_extra_args.items() if name in members},
            "Bucket": self.name,
        }
        if self._options.s3_expected_bucket_owner:
            configured["ExpectedBucketOwner"] = self._options.s3_expected_bucket_owner
        return arguments | configured


class S3Stream:
    def __init__(self, uri: str, answer: "GetObjectOutputTypeDef", wanted: Wanted) -> None:
        self._uri = uri
        self._body = answer["Body"]
        content_range = answer.get("ContentRange", "")
        if wanted is not None and not content_range:
            self._body.close()
            raise StoreMisconfigured(f"{uri} does not know ranges: it sends a whole file where a part is asked for.")
        length = answer["ContentLength"]
        self.start, total = total_of(content_range) if content_range else (0, length)
        self.stop = self.start + length
        self.stat = _stat(answer, total)
        self._left = length

    def read(self, limit_bytes: int) -> bytes:
        """The checksum of a whole file is compared before its last byte is given."""
        if not self._left:
            return b""
        with translated(self._uri, "read"):
            chunk = self._body.read(min(limit_bytes, self._left))
            self._left -= len(chunk)
            if chunk and not self._left:
                self._body.read(1)
        return chunk

    def close(self) -> None:
        self._body.close()


class S3Upload:
    def __init__(self, bucket: S3Bucket, name: str, upload_id: str) -> None:
        self._bucket = bucket
        self._name = name
        self._upload_id = upload_id
        self._parts: list[CompletedPartTypeDef] = []

    def add(self, part: bytearray) -> None:
        self._parts.append(self._bucket.put_part(self._name, self._upload_id, len(self._parts) + 1, part))

    def finish(self, last: bytearray) -> Stat:
        self.add(last)
        return self._bucket.complete(self._name, self._upload_id, self._parts)

    def abort(self) -> None:
        self._bucket.abort(self._name, self._upload_id)


def _stat(answer: "HeadObjectOutputTypeDef | GetObjectOutputTypeDef", size_bytes: int) -> Stat:
    return Stat(
        size_bytes=size_bytes,
        modified_seconds=answer["LastModified"].timestamp(),
        etag=answer.get("ETag", "").strip('"'),
    )
