"""Logged models: models as things of their own, made in an experiment and usually by a run."""

import enum
from collections.abc import Sequence

from tracking_server.entities.metrics import Metric
from tracking_server.entities.shapes import Answer, Int32, NonEmpty, Request
from tracking_server.entities.tags import Param, Tag


class LoggedModelStatus(enum.StrEnum):
    UNSPECIFIED = "LOGGED_MODEL_STATUS_UNSPECIFIED"
    PENDING = "LOGGED_MODEL_PENDING"
    READY = "LOGGED_MODEL_READY"
    UPLOAD_FAILED = "LOGGED_MODEL_UPLOAD_FAILED"


class LoggedModelRegistration(Answer, frozen=True, kw_only=True):
    name: str
    version: str


class LoggedModelInfo(Answer, frozen=True, kw_only=True):
    model_id: str
    experiment_id: str
    name: str
    creation_timestamp_ms: int
    last_updated_timestamp_ms: int
    artifact_uri: str
    status: LoggedModelStatus
    model_type: str | None = None
    source_run_id: str | None = None
    status_message: str | None = None
    tags: Sequence[Tag] = ()
    registrations: Sequence[LoggedModelRegistration] = ()


class LoggedModelData(Answer, frozen=True, kw_only=True):
    params: Sequence[Param] = ()
    metrics: Sequence[Metric] = ()


class LoggedModel(Answer, frozen=True, kw_only=True):
    info: LoggedModelInfo
    data: LoggedModelData


class FoundLoggedModel(Answer, frozen=True, kw_only=True):
    model: LoggedModel


class CreateLoggedModel(Request, frozen=True, kw_only=True):
    experiment_id: NonEmpty
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: tuple[Param, ...] = ()
    tags: tuple[Tag, ...] = ()


class FinalizeLoggedModel(Request, frozen=True, kw_only=True):
    model_id: NonEmpty
    status: LoggedModelStatus


class GetLoggedModel(Request, frozen=True, kw_only=True):
    model_id: NonEmpty
    allow_deleted: bool = False


class DeleteLoggedModel(Request, frozen=True, kw_only=True):
    model_id: NonEmpty


class SetLoggedModelTags(Request, frozen=True, kw_only=True):
    model_id: NonEmpty
    tags: tuple[Tag, ...] = ()


class DeleteLoggedModelTag(Request, frozen=True, kw_only=True):
    model_id: NonEmpty
    tag_key: NonEmpty


class LogLoggedModelParams(Request, frozen=True, kw_only=True):
    model_id: NonEmpty
    params: tuple[Param, ...] = ()


class DatasetFilter(Request, frozen=True, kw_only=True):
    """Narrows a comparison or an order by a metric to points that were logged for this dataset."""

    dataset_name: NonEmpty
    dataset_digest: str = ""


class LoggedModelOrder(Request, frozen=True, kw_only=True):
    field_name: NonEmpty
    ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""


class SearchLoggedModels(Request, frozen=True, kw_only=True):
    experiment_ids: tuple[str, ...]
    filter: str = ""
    datasets: tuple[DatasetFilter, ...] = ()
    max_results: Int32 = 50
    order_by: tuple[LoggedModelOrder, ...] = ()
    page_token: str = ""


class FoundLoggedModels(Answer, frozen=True, kw_only=True):
    models: Sequence[LoggedModel] = ()
    next_page_token: str = ""
