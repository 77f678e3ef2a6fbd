"""Runs: one execution of somebody's code, what went into it and what came out.

`run_uuid` in a request is the old name of `run_id`; `wire` fills `run_id` from it where MLflow's server does.
"""

import enum
from collections.abc import Sequence

from tracking_server.entities.datasets import RunInputs, RunOutputs
from tracking_server.entities.lifecycle import ViewType
from tracking_server.entities.metrics import Metric, NewMetric
from tracking_server.entities.shapes import Answer, Int32, Int64, NonEmpty, Request
from tracking_server.entities.tags import Param, Tag


class RunStatus(enum.StrEnum):
    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class RunInfo(Answer, frozen=True, kw_only=True):
    run_id: str
    run_uuid: str
    run_name: str | None = None
    experiment_id: str
    user_id: str | None = None
    status: RunStatus
    start_time: int | None = None
    end_time: int | None = None
    artifact_uri: str | None = None
    lifecycle_stage: str


class RunData(Answer, frozen=True, kw_only=True):
    metrics: Sequence[Metric] = ()
    params: Sequence[Param] = ()
    tags: Sequence[Tag] = ()


class Run(Answer, frozen=True, kw_only=True):
    info: RunInfo
    data: RunData
    inputs: RunInputs
    outputs: RunOutputs | None = None


class CreateRun(Request, frozen=True, kw_only=True):
    experiment_id: NonEmpty
    user_id: str = ""
    run_name: str = ""
    start_time: Int64 = 0
    tags: tuple[Tag, ...] = ()


class GetRun(Request, frozen=True, kw_only=True):
    run_id: NonEmpty
    run_uuid: str = ""


class FoundRun(Answer, frozen=True, kw_only=True):
    run: Run


class UpdateRun(Request, frozen=True, kw_only=True):
    run_id: NonEmpty
    run_uuid: str = ""
    status: RunStatus | None = None
    end_time: Int64 | None = None
    run_name: str = ""


class UpdatedRun(Answer, frozen=True, kw_only=True):
    run_info: RunInfo


class DeleteRun(Request, frozen=True, kw_only=True):
    run_id: NonEmpty


class RestoreRun(Request, frozen=True, kw_only=True):
    run_id: NonEmpty


class SearchRuns(Request, frozen=True, kw_only=True):
    experiment_ids: tuple[str, ...] = ()
    filter: str = ""
    run_view_type: ViewType = ViewType.ACTIVE_ONLY
    max_results: Int32 = 1000
    order_by: tuple[str, ...] = ()
    page_token: str = ""


class FoundRuns(Answer, frozen=True, kw_only=True):
    runs: Sequence[Run] = ()
    next_page_token: str = ""


class LogParam(Request, frozen=True, kw_only=True):
    run_id: NonEmpty
    run_uuid: str = ""
    key: NonEmpty
    value: str = ""


class SetTag(Request, frozen=True, kw_only=True):
    run_id: NonEmpty
    run_uuid: str = ""
    key: NonEmpty
    value: str = ""


class DeleteTag(Request, frozen=True, kw_only=True):
    run_id: NonEmpty
    key: NonEmpty


class LogBatch(Request, frozen=True, kw_only=True):
    run_id: NonEmpty
    metrics: tuple[NewMetric, ...] = ()
    params: tuple[Param, ...] = ()
    tags: tuple[Tag, ...] = ()


class LogModel(Request, frozen=True, kw_only=True):
    """`model_json` is the text of an MLmodel file as JSON."""

    run_id: NonEmpty
    model_json: NonEmpty
