"""Artifacts: the files that belong to runs and models, and the requests about them.

Their bytes never pass through here: a request names them, the edge moves them.
"""

from collections.abc import Sequence

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


class EndMultipartUpload(Request, frozen=True, kw_only=True):
    artifact_path: str = ""
    path: NonEmpty
    upload_id: NonEmpty


class CreatePresignedUrl(Request, frozen=True, kw_only=True):
    run_id: str = ""
    model_id: str = ""
    path: NonEmpty
    expiration: Int64 | None = None
