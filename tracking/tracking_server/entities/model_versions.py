"""Versions of registered models: where a model came from, and in which stage it is."""

import enum
from collections.abc import Sequence
from typing import Final

from tracking_server.entities.shapes import Answer, Int64, NonEmpty, Request
from tracking_server.entities.tags import Tag


class Stage(enum.StrEnum):
    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


ACTIVE_STAGES: Final = (Stage.STAGING, Stage.PRODUCTION)
"""Those that one version may take over from the others."""

READY: Final = "READY"


class ModelVersion(Answer, frozen=True, kw_only=True):
    """What is None was never said; an empty text was."""

    name: str
    version: str
    creation_timestamp: int | None = None
    last_updated_timestamp: int | None = None
    user_id: str | None = None
    current_stage: str | None = None
    description: str | None = None
    source: str | None = None
    run_id: str | None = None
    status: str | None = None
    status_message: str | None = None
    tags: Sequence[Tag] = ()
    run_link: str | None = None
    aliases: Sequence[str] = ()


class FoundModelVersion(Answer, frozen=True, kw_only=True):
    model_version: ModelVersion


class FoundModelVersions(Answer, frozen=True, kw_only=True):
    model_versions: Sequence[ModelVersion] = ()
    next_page_token: str = ""


class CreateModelVersion(Request, frozen=True, kw_only=True):
    """`run_id` and `model_id`: None when the request does not say, which a copy takes from what it copies."""

    name: NonEmpty
    source: NonEmpty
    run_id: str | None = None
    tags: tuple[Tag, ...] = ()
    run_link: str = ""
    description: str = ""
    model_id: str | None = None


class UpdateModelVersion(Request, frozen=True, kw_only=True):
    """Without a description, the one that is there goes."""

    name: NonEmpty
    version: NonEmpty
    description: str | None = None


class TransitionModelVersionStage(Request, frozen=True, kw_only=True):
    name: NonEmpty
    version: NonEmpty
    stage: NonEmpty
    archive_existing_versions: bool = False


class DeleteModelVersion(Request, frozen=True, kw_only=True):
    name: NonEmpty
    version: NonEmpty


class GetModelVersion(Request, frozen=True, kw_only=True):
    name: NonEmpty
    version: NonEmpty


class SearchModelVersions(Request, frozen=True, kw_only=True):
    filter: str = ""
    max_results: Int64 = 200_000
    order_by: tuple[str, ...] = ()
    page_token: str = ""


class GetModelVersionDownloadUri(Request, frozen=True, kw_only=True):
    name: NonEmpty
    version: NonEmpty


class DownloadUri(Answer, frozen=True, kw_only=True):
    artifact_uri: str


class SetModelVersionTag(Request, frozen=True, kw_only=True):
    name: NonEmpty
    version: NonEmpty
    key: NonEmpty
    value: str = ""


class DeleteModelVersionTag(Request, frozen=True, kw_only=True):
    name: NonEmpty
    version: NonEmpty
    key: NonEmpty


class GetModelVersionArtifact(Request, frozen=True, kw_only=True):
    name: NonEmpty
    version: NonEmpty
    path: NonEmpty
