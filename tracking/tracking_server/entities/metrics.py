"""Metrics: numbers logged at a step and a time; of each key, the latest point is what a run shows."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from tracking_server.entities.shapes import Answer, Int32, Int64, NonEmpty, Request

MetricValue = float | Literal["NaN"]
"""JSON has no NaN: it travels as text. Infinities are clamped to the largest double when they are stored."""


class Metric(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A point as it is read. Whatever is unknown is left out."""

    key: str
    value: MetricValue
    timestamp: int | None
    step: int
    dataset_name: str | None = None
    dataset_digest: str | None = None
    model_id: str | None = None
    run_id: str | None = None


class NewMetric(msgspec.Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """A point as it is logged."""

    key: NonEmpty
    value: float
    timestamp: Int64
    step: Int64 = 0
    dataset_name: str = ""
    dataset_digest: str = ""
    model_id: str = ""
    run_id: str = ""


class LogMetric(Request, frozen=True, kw_only=True):
    run_id: NonEmpty
    run_uuid: str = ""
    key: NonEmpty
    value: float
    timestamp: Int64
    step: Int64 = 0
    dataset_name: str = ""
    dataset_digest: str = ""
    model_id: str = ""


class GetMetricHistory(Request, frozen=True, kw_only=True):
    """All points of one metric of one run; in pages only when `max_results` is given."""

    run_id: NonEmpty
    run_uuid: str = ""
    metric_key: NonEmpty
    max_results: Int32 | None = None
    page_token: str = ""


class MetricHistory(Answer, frozen=True, kw_only=True):
    """`metrics` may be the JSON of a list."""

    metrics: Sequence[Metric] | msgspec.Raw = ()
    next_page_token: str = ""


class GetMetricHistoryBulk(Request, frozen=True, kw_only=True):
    """One metric of many runs, cut off at `max_results` points altogether."""

    run_id: tuple[str, ...] = ()
    metric_key: str = ""
    max_results: Int32 = 25_000


class GetMetricHistoryBulkInterval(Request, frozen=True, kw_only=True):
    """One metric of many runs, thinned to `max_results` points a run, spread evenly over its steps."""

    run_ids: tuple[str, ...]
    metric_key: NonEmpty
    start_step: Int32 | None = None
    end_step: Int32 | None = None
    max_results: Int32 | None = None


class MetricOfRun(msgspec.Struct, frozen=True, gc=False):
    key: str
    value: MetricValue
    timestamp: int
    step: int
    run_id: str


class MetricsOfRuns(Answer, frozen=True, kw_only=True):
    metrics: Sequence[MetricOfRun] = ()


class BulkMetrics(Answer, frozen=True, kw_only=True):
    """Without a default: `metrics` is there even when it is empty."""

    metrics: Sequence[MetricOfRun]
