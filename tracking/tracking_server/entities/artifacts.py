"""Artifacts: the files that belong to runs and models, and the requests about them.

Their bytes never pass through here: a request names them, the edge moves them.
"""

from collections.abc import Mapping, Sequence

import msgspec

from tracking_server.entities.shapes import Answer, Int64, NonEmpty, Request


class FileInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`file_size` is left out for a folder, and only there: an empty file has the size 0."""

    path: str
    is_dir: bool
    file_size: int | msgspec.UnsetType = msgspec.UNSET


class ListArtifacts(Request, frozen=True, kw_only=True):
    run_id: NonEmpty
    run_uuid: str = ""
    path: str = ""


class FoundArtifacts(Answer, frozen=True, kw_only=True):
    root_uri: str
    files: Sequence[FileInfo] = ()


class ListLoggedModelArtifacts(Request, frozen=True, kw_only=True):
    model_id: NonEmpty
    artifact_directory_path: str = ""


class ListProxiedArtifacts(Request, frozen=True, kw_only=True):
    path: str = ""


class ProxiedArtifacts(Answer, frozen=True, kw_only=True):
    files: Sequence[FileInfo] = ()


class ProxiedArtifact(Request, frozen=True, kw_only=True):
    artifact_path: NonEmpty


class GetRunArtifact(Request, frozen=True, kw_only=True):
    run_id: NonEmpty
    run_uuid: str = ""
    path: NonEmpty


class GetLoggedModelArtifact(Request, frozen=True, kw_only=True):
    model_id: NonEmpty
    artifact_file_path: NonEmpty


class CreateMultipartUpload(Request, frozen=True, kw_only=True):
    artifact_path: str = ""
    path: NonEmpty
    num_parts: Int64 = 1


class MultipartUploadCredential(msgspec.Struct, frozen=True, kw_only=True):
    """Where a client puts one part, and the headers that it must send with it."""

    url: str
    part_number: int
    headers: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])


class CreatedMultipartUpload(Answer, frozen=True, kw_only=True):
    upload_id: str
    credentials: Sequence[MultipartUploadCredential]


class MultipartUploadPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part that was put. `url` is where: the store knows it by its number."""

    part_number: Int64
    etag: str = ""
    url: str = ""


class CompleteMultipartUpload(Request, frozen=True, kw_only=True):
    artifact_path: str = ""
    path: NonEmpty
    upload_id: NonEmpty
    parts: tuple[MultipartUploadPart, ...]


class AbortMultipartUpload(Request, frozen=True, kw_only=True):
    artifact_path: str = ""
    path: NonEmpty
    upload_id: NonEmpty


class PresignedDownload(Answer, frozen=True, kw_only=True):
    url: str
    headers: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    file_size: int


class CreatePresignedUploadUrl(Request, frozen=True, kw_only=True):
    run_id: str = ""
    model_id: str = ""
    path: NonEmpty
    expiration: Int64 | None = None


class PresignedUploadUrl(Answer, frozen=True, kw_only=True):
    presigned_url: str
    headers: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])


class CreatePresignedDownloadUrl(Request, frozen=True, kw_only=True):
    run_id: NonEmpty
    path: NonEmpty
    expiration: Int64 | None = None


class PresignedDownloadUrl(Answer, frozen=True, kw_only=True):
    presigned_url: str
    headers: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    file_size: int
