"""Registered models: names with versions, tags and aliases. A prompt is one with a tag that says so."""

from collections.abc import Sequence

from tracking_server.entities.model_versions import ModelVersion
from tracking_server.entities.shapes import Answer, Int64, NonEmpty, Request
from tracking_server.entities.tags import Tag


class RegisteredModelAlias(Answer, frozen=True, kw_only=True):
    alias: str
    version: str


class RegisteredModel(Answer, frozen=True, kw_only=True):
    """`latest_versions`: of each stage the one with the highest number, without its aliases."""

    name: str
    creation_timestamp: int | None = None
    last_updated_timestamp: int | None = None
    description: str = ""
    latest_versions: Sequence[ModelVersion] = ()
    tags: Sequence[Tag] = ()
    aliases: Sequence[RegisteredModelAlias] = ()


class FoundRegisteredModel(Answer, frozen=True, kw_only=True):
    registered_model: RegisteredModel


class FoundRegisteredModels(Answer, frozen=True, kw_only=True):
    registered_models: Sequence[RegisteredModel] = ()
    next_page_token: str = ""


class CreateRegisteredModel(Request, frozen=True, kw_only=True):
    name: NonEmpty
    tags: tuple[Tag, ...] = ()
    description: str = ""


class RenameRegisteredModel(Request, frozen=True, kw_only=True):
    name: NonEmpty
    new_name: NonEmpty


class UpdateRegisteredModel(Request, frozen=True, kw_only=True):
    """Without a description, the one that is there goes."""

    name: NonEmpty
    description: str = ""


class DeleteRegisteredModel(Request, frozen=True, kw_only=True):
    name: NonEmpty


class GetRegisteredModel(Request, frozen=True, kw_only=True):
    name: NonEmpty


class SearchRegisteredModels(Request, frozen=True, kw_only=True):
    filter: str = ""
    max_results: Int64 = 100
    order_by: tuple[str, ...] = ()
    page_token: str = ""


class GetLatestVersions(Request, frozen=True, kw_only=True):
    """Of all stages when none is named."""

    name: NonEmpty
    stages: tuple[str, ...] = ()


class SetRegisteredModelTag(Request, frozen=True, kw_only=True):
    name: NonEmpty
    key: NonEmpty
    value: str = ""


class DeleteRegisteredModelTag(Request, frozen=True, kw_only=True):
    name: NonEmpty
    key: NonEmpty


class SetRegisteredModelAlias(Request, frozen=True, kw_only=True):
    name: NonEmpty
    alias: NonEmpty
    version: NonEmpty


class DeleteRegisteredModelAlias(Request, frozen=True, kw_only=True):
    name: NonEmpty
    alias: NonEmpty


class GetModelVersionByAlias(Request, frozen=True, kw_only=True):
    name: NonEmpty
    alias: NonEmpty
