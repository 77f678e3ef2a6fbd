"""Addresses that let clients read and write files at the store itself: signed for one file and a while.

Only of a server that is told to (`--artifacts-access presigned`). The bytes then never come here.
"""

import ntpath
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tracking_server.artifacts.paths import join, parse_folder, parse_key
from tracking_server.artifacts.roots import is_proxied, place_of, within
from tracking_server.artifacts.signing import (
    MOST_SECONDS,
    PartsStore,
    SentPart,
    SigningStore,
    parts_store,
    signing_store,
)
from tracking_server.artifacts.store import ArtifactStore, Place
from tracking_server.entities.artifacts import (
    AbortMultipartUpload,
    CompleteMultipartUpload,
    CreatedMultipartUpload,
    CreateMultipartUpload,
    CreatePresignedDownloadUrl,
    CreatePresignedUploadUrl,
    MultipartUploadCredential,
    MultipartUploadPart,
    PresignedDownload,
    PresignedDownloadUrl,
    PresignedUploadUrl,
    ProxiedArtifact,
)
from tracking_server.entities.shapes import Empty
from tracking_server.errors import InvalidParameter, NotImplementedHere
from tracking_server.services.artifacts import held_place, uri_of_model, uri_of_run
from tracking_server.services.context import Context

MULTIPART_UNSUPPORTED: Final = "Multipart upload is not supported for the current artifact repository"
"""The client falls back to one plain upload when the message starts with exactly this, and only then."""
PART_SECONDS: Final = 6 * 3600
"""For all parts of an upload, which are signed at its start: 500 GiB at 200 Mbit/s."""
UPLOAD_SECONDS: Final = 900
_DRIVE = re.compile(r"[A-Za-z]:|\\\\")


@dataclass(frozen=True, kw_only=True, slots=True)
class Abilities:
    """What clients may ask this server to sign."""

    parts: bool = False
    downloads: bool = False
    own_roots: bool = False
    """Whether new runs keep their artifacts where the server signs for them."""


def abilities(context: Context) -> Abilities:
    if not context.presigns:
        return Abilities()
    own_root = _own_root(context)
    return Abilities(
        parts=parts_store(context.artifact_store) is not None,
        downloads=signing_store(context.artifact_store) is not None,
        own_roots=own_root is not None and signing_store(own_root.store) is not None,
    )


def _own_root(context: Context) -> Place | None:
    """None when clients reach it through the server, or on their own."""
    uri = context.default_artifact_root
    return None if is_proxied(uri) else place_of(uri, context.artifact_roots)


def create_multipart_upload(request: CreateMultipartUpload, context: Context) -> CreatedMultipartUpload:
    key = _key_of_upload(request.artifact_path, request.path)
    started = _parts_store(context).start_parts(key, request.num_parts, PART_SECONDS)
    return CreatedMultipartUpload(
        upload_id=started.upload_id,
        credentials=tuple(
            MultipartUploadCredential(url=part.url, part_number=number, headers=part.headers)
            for number, part in enumerate(started.parts, start=1)
        ),
    )


def complete_multipart_upload(request: CompleteMultipartUpload, context: Context) -> Empty:
    key = _key_of_upload(request.artifact_path, request.path)
    store = _parts_store(context)
    store.complete_parts(key, request.upload_id, [_sent(part) for part in _distinct(request.parts)])
    return Empty()


def abort_multipart_upload(request: AbortMultipartUpload, context: Context) -> Empty:
    key = _key_of_upload(request.artifact_path, request.path)
    _parts_store(context).abort_parts(key, request.upload_id)
    return Empty()


def sign_proxied_download(request: ProxiedArtifact, context: Context) -> PresignedDownload:
    key = parse_key(request.artifact_path)
    signing = _signing_store(context.artifact_store, context, "Multipart download", "download through the server")
    stat = context.artifact_store.stat(key)
    signed = signing.sign_get(key, context.presigned_download_seconds)
    return PresignedDownload(url=signed.url, headers=signed.headers, file_size=stat.size_bytes)


def create_presigned_upload_url(request: CreatePresignedUploadUrl, context: Context) -> PresignedUploadUrl:
    path = parse_key(request.path)
    seconds = _seconds(request.expiration, UPLOAD_SECONDS)
    if bool(request.run_id) == bool(request.model_id):
        raise InvalidParameter("Exactly one of 'run_id' and 'model_id' must be given.")
    uri = uri_of_run(request.run_id, context) if request.run_id else uri_of_model(request.model_id, context)
    place = _own_place("Presigned upload", uri, path, context)
    signing = _signing_store(place.store, context, "Presigned upload", "upload with credentials of your own")
    signed = signing.sign_put(place.key, seconds)
    return PresignedUploadUrl(presigned_url=signed.url, headers=signed.headers)


def create_presigned_download_url(request: CreatePresignedDownloadUrl, context: Context) -> PresignedDownloadUrl:
    path = parse_key(request.path)
    seconds = _seconds(request.expiration, context.presigned_download_seconds)
    place = _own_place("Presigned download", uri_of_run(request.run_id, context), path, context)
    signing = _signing_store(place.store, context, "Presigned download", "download through the server")
    stat = place.store.stat(place.key)
    signed = signing.sign_get(place.key, seconds)
    return PresignedDownloadUrl(presigned_url=signed.url, headers=signed.headers, file_size=stat.size_bytes)


def _parts_store(context: Context) -> PartsStore:
    store = parts_store(context.artifact_store) if context.presigns else None
    if store is None:
        raise NotImplementedHere(f"{MULTIPART_UNSUPPORTED}: this server takes a file in one piece, of any size.")
    return store


def _signing_store(store: ArtifactStore, context: Context, asked: str, instead: str) -> SigningStore:
    signing = signing_store(store) if context.presigns else None
    if signing is None:
        raise NotImplementedHere(f"{asked} is not supported for the current artifact repository: {instead}.")
    return signing


def _own_place(asked: str, uri: str, path: str, context: Context) -> Place:
    """Of a run or a model whose own root is a store: what clients reach through the server is signed elsewhere."""
    if is_proxied(uri):
        raise InvalidParameter(f"{asked} is not supported for proxied artifact storage, which {uri} is in.")
    return within(held_place(uri, context), path)


def _key_of_upload(folder: str, client_path: str) -> str:
    """The client tells the path that the file has on its own machine, which may be one of Windows."""
    is_of_windows = "/" not in client_path or _DRIVE.match(client_path) is not None
    name = parse_key((ntpath if is_of_windows else posixpath).basename(client_path))
    return parse_key(join(parse_folder(folder), name))


def _distinct(parts: Sequence[MultipartUploadPart]) -> Sequence[MultipartUploadPart]:
    numbers = {part.part_number for part in parts}
    if not parts or len(numbers) < len(parts) or min(numbers) < 1:
        raise InvalidParameter("'parts' must name at least one part, each once, with numbers from 1.")
    return parts


def _sent(part: MultipartUploadPart) -> SentPart:
    return SentPart(number=part.part_number, etag=part.etag)


def _seconds(asked: int | None, otherwise: int) -> int:
    if asked is None:
        return otherwise
    if not 1 <= asked <= MOST_SECONDS:
        raise InvalidParameter(f"'expiration' must be from 1 to {MOST_SECONDS} seconds, not {asked}.")
    return asked
