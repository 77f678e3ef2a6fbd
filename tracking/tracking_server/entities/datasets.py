"""Datasets that runs read, and the models that runs read and write."""

from collections.abc import Sequence

import msgspec

from tracking_server.entities.shapes import Answer, Int64, NonEmpty, Request
from tracking_server.entities.tags import Tag


class Dataset(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """A description of data, unique in its experiment by name and digest. The client makes the digest."""

    name: str | None = None
    digest: str | None = None
    source_type: str | None = None
    source: str | None = None
    schema: str | None = None
    profile: str | None = None


class DatasetInput(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    tags: tuple[Tag, ...] = ()
    dataset: Dataset


class ModelInput(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    model_id: NonEmpty


class ModelOutput(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    model_id: NonEmpty
    step: Int64 = 0


class RunInputs(Answer, frozen=True, kw_only=True):
    dataset_inputs: Sequence[DatasetInput] = ()
    model_inputs: Sequence[ModelInput] = ()


class RunOutputs(Answer, frozen=True, kw_only=True):
    model_outputs: Sequence[ModelOutput] = ()


class LogInputs(Request, frozen=True, kw_only=True):
    run_id: NonEmpty
    datasets: tuple[DatasetInput, ...] = ()
    models: tuple[ModelInput, ...] = ()


class LogOutputs(Request, frozen=True, kw_only=True):
    run_id: NonEmpty
    models: tuple[ModelOutput, ...]


class SearchDatasets(Request, frozen=True, kw_only=True):
    experiment_ids: tuple[str, ...] = ()


class DatasetSummary(Answer, frozen=True, kw_only=True):
    experiment_id: str
    name: str
    digest: str
    context: str | None = None


class DatasetSummaries(Answer, frozen=True, kw_only=True):
    dataset_summaries: Sequence[DatasetSummary] = ()
