"""Experiments: named sets of runs, with a place for their artifacts."""

from collections.abc import Sequence

from tracking_server.entities.lifecycle import ViewType
from tracking_server.entities.shapes import Answer, Int64, NonEmpty, Request
from tracking_server.entities.tags import Tag

DEFAULT_WORKSPACE = "default"
"""The workspace of everything: this server has no others."""


class Experiment(Answer, frozen=True, kw_only=True):
    experiment_id: str
    name: str
    artifact_location: str | None = None
    lifecycle_stage: str | None = None
    last_update_time: int | None = None
    creation_time: int | None = None
    tags: Sequence[Tag] = ()
    workspace: str | None = None


class CreateExperiment(Request, frozen=True, kw_only=True):
    name: NonEmpty
    artifact_location: str = ""
    tags: tuple[Tag, ...] = ()


class CreatedExperiment(Answer, frozen=True, kw_only=True):
    experiment_id: str


class GetExperiment(Request, frozen=True, kw_only=True):
    experiment_id: NonEmpty


class GetExperimentByName(Request, frozen=True, kw_only=True):
    experiment_name: NonEmpty


class FoundExperiment(Answer, frozen=True, kw_only=True):
    experiment: Experiment


class SearchExperiments(Request, frozen=True, kw_only=True):
    """`max_results` must be sent: MLflow's server takes its absence as 0, which is refused."""

    max_results: Int64 = 0
    page_token: str = ""
    filter: str = ""
    order_by: tuple[str, ...] = ()
    view_type: ViewType = ViewType.ACTIVE_ONLY


class FoundExperiments(Answer, frozen=True, kw_only=True):
    experiments: Sequence[Experiment] = ()
    next_page_token: str = ""


class UpdateExperiment(Request, frozen=True, kw_only=True):
    experiment_id: NonEmpty
    new_name: NonEmpty


class DeleteExperiment(Request, frozen=True, kw_only=True):
    experiment_id: NonEmpty


class RestoreExperiment(Request, frozen=True, kw_only=True):
    experiment_id: NonEmpty


class SetExperimentTag(Request, frozen=True, kw_only=True):
    experiment_id: NonEmpty
    key: NonEmpty
    value: str = ""


class DeleteExperimentTag(Request, frozen=True, kw_only=True):
    experiment_id: NonEmpty
    key: NonEmpty
