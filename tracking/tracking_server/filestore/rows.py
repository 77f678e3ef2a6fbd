"""What a folder holds, in the shape of the database's rows: the fields of each are the columns, in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Experiment(NamedTuple):
    experiment_id: int
    name: str
    artifact_location: str | None
    lifecycle_stage: str
    creation_time: int | None
    last_update_time: int | None


class Run(NamedTuple):
    run_uuid: str
    name: str | None
    source_type: str
    source_name: str | None
    entry_point_name: str | None
    user_id: str | None
    status: str
    start_time: int | None
    end_time: int | None
    source_version: str | None
    lifecycle_stage: str
    artifact_uri: str | None
    experiment_id: int
    deleted_time: int | None


class Dataset(NamedTuple):
    dataset_uuid: str
    experiment_id: int
    name: str
    digest: str
    dataset_source_type: str
    dataset_source: str
    dataset_schema: str | None
    dataset_profile: str | None


class Edge(NamedTuple):
    source_type: str
    source_id: str
    destination_type: str
    destination_id: str
    step: int
    input_uuid: str


class LoggedModel(NamedTuple):
    model_id: str
    experiment_id: int
    name: str
    artifact_location: str
    creation_timestamp_ms: int
    last_updated_timestamp_ms: int
    status: int
    lifecycle_stage: str
    model_type: str | None
    source_run_id: str | None
    status_message: str | None


class ModelPoint(NamedTuple):
    model_id: str
    metric_name: str
    metric_timestamp_ms: int
    metric_step: int
    metric_value: float
    run_id: str
    experiment_id: int
    dataset_name: str | None
    dataset_digest: str | None


class RegisteredModel(NamedTuple):
    name: str
    creation_time: int | None
    last_updated_time: int | None
    description: str | None


class ModelVersion(NamedTuple):
    name: str
    version: int
    creation_time: int | None
    last_updated_time: int | None
    description: str | None
    user_id: str | None
    current_stage: str
    source: str | None
    run_id: str | None
    status: str
    status_message: str | None
    run_link: str | None
    storage_location: str | None


class Trace(NamedTuple):
    request_id: str
    experiment_id: int
    timestamp_ms: int
    execution_time_ms: int | None
    status: str
    client_request_id: str | None
    request_preview: str | None
    response_preview: str | None
    trace_name: str | None
    session_id: str | None
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    cache_read_input_tokens: int | None
    cache_creation_input_tokens: int | None
    cache_creation_input_tokens_above_1hr: int | None
    input_cost: float | None
    output_cost: float | None
    total_cost: float | None


class Assessment(NamedTuple):
    assessment_id: str
    trace_id: str
    name: str
    assessment_type: str
    value: str
    error: str | None
    created_timestamp: int
    last_updated_timestamp: int
    source_type: str
    source_id: str | None
    run_id: str | None
    span_id: str | None
    rationale: str | None
    overrides: str | None
    valid: bool
    assessment_metadata: str | None
    experiment_id: int
    trace_timestamp_ms: int
    aggregate_value: float | None
    is_numeric_value: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundExperiment:
    """`path` is its folder's, in the root or in the trash."""

    path: str
    row: Experiment
    tags: Mapping[str, str]


class FoundEdge(NamedTuple):
    """`dataset`: the name of its folder, for an edge from a dataset; else the id of a model in `edge`."""

    edge: Edge
    dataset: str | None
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundRun:
    """All of a run but its metrics, which are as many as they like and are read from the files of `metrics`."""

    path: str
    row: Run
    params: Mapping[str, str]
    tags: Mapping[str, str]
    edges: Sequence[FoundEdge] = ()
    metrics: Sequence[tuple[str, str]] = ()
    """Path and key of each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundModel:
    path: str
    row: LoggedModel
    params: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundTrace:
    path: str
    row: Trace
    tags: Mapping[str, str]
    metadata: Mapping[str, str]
    assessments: Sequence[Assessment]


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundVersion:
    row: ModelVersion
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundRegisteredModel:
    path: str
    row: RegisteredModel
    tags: Mapping[str, str]
    aliases: Mapping[str, int]
    versions: Sequence[FoundVersion] = field(default=())
