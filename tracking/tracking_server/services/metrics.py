"""Metric histories: of one run, of many, and thinned out for a chart."""

import itertools
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from tracking_server.database import rows
from tracking_server.database.fetching import fetch_in_parts, fetch_rows
from tracking_server.database.statements import metric_history as statements
from tracking_server.entities.metrics import (
    BulkMetrics,
    GetMetricHistory,
    GetMetricHistoryBulk,
    GetMetricHistoryBulkInterval,
    Metric,
    MetricHistory,
    MetricOfRun,
    MetricsOfRuns,
)
from tracking_server.errors import InvalidParameter
from tracking_server.services.context import Context

MAX_RUNS = 100
MAX_BULK_POINTS = 25_000
MAX_INTERVAL_POINTS = 2500
_POINTS_AT_ONCE = 10_000
_ALL_THE_REST = 2**31 - 2
"""A token without a page size: one more than this is still a limit that every engine takes."""


def get_metric_history(request: GetMetricHistory, context: Context) -> MetricHistory:
    """Ordered by timestamp, step and value. An unknown run or key has no points."""
    of_metric = {"run_id": request.run_id, "metric_key": request.metric_key}
    if request.max_results is None and not request.page_token:
        with context.database.read() as connection:
            parts = fetch_in_parts(connection, statements.SELECT_OF_RUN, of_metric, _POINTS_AT_ONCE)
            return MetricHistory(metrics=_as_one(map(rows.metric_history, parts)))
    max_results = _ALL_THE_REST if request.max_results is None else request.max_results
    if max_results <= 0:
        raise InvalidParameter(
            f"Invalid value {max_results} for parameter 'max_results' supplied. It must be a positive integer."
        )
    query = statements.select_history_page(request, max_results, context.database.dialect)
    with context.database.read() as connection:
        page = query.page_of_rows(fetch_rows(connection, query.statement, of_metric))
    return MetricHistory(metrics=rows.metric_history(page.rows) or (), next_page_token=page.next_page_token)


def get_metric_history_bulk(request: GetMetricHistoryBulk, context: Context) -> BulkMetrics:
    """Ordered by run, timestamp, step and value, and cut off."""
    _check_runs(request.run_id, "GetMetricHistoryBulk")
    if not request.metric_key:
        raise InvalidParameter("GetMetricHistoryBulk request must specify a metric_key.")
    if request.max_results < 0:
        raise InvalidParameter(
            f"Invalid value {request.max_results} for parameter 'max_results' supplied: It must not be negative."
        )
    parameters = {
        "run_ids": list(request.run_id),
        "metric_key": request.metric_key,
        "max_results": min(request.max_results, MAX_BULK_POINTS),
    }
    with context.database.read() as connection:
        points = rows.metrics_of_runs(fetch_rows(connection, statements.SELECT_OF_RUNS, parameters))
    return BulkMetrics(metrics=points)


def get_metric_history_bulk_interval(request: GetMetricHistoryBulkInterval, context: Context) -> MetricsOfRuns:
    """Of each run at most `max_results` points: the first of each of so many equal buckets, and always the last."""
    _check_runs(request.run_ids, "GetMetricHistoryBulkInterval")
    max_results = MAX_INTERVAL_POINTS if request.max_results is None else request.max_results
    if not 1 <= max_results <= MAX_INTERVAL_POINTS:
        raise InvalidParameter(
            f"Invalid value {max_results} for parameter 'max_results' supplied: max_results must be between 1 and"
            f" {MAX_INTERVAL_POINTS}."
        )
    parameters: dict[str, object] = {
        "run_ids": list(request.run_ids),
        "metric_key": request.metric_key,
        "max_results": max_results,
    }
    statement = statements.SELECT_THINNED
    if request.start_step is not None and request.end_step is not None:
        if request.start_step > request.end_step:
            raise InvalidParameter(
                f"end_step must be greater than start_step. Found start_step={request.start_step} and"
                f" end_step={request.end_step}."
            )
        parameters |= {"start_step": request.start_step, "end_step": request.end_step}
        statement = statements.SELECT_THINNED_BETWEEN_STEPS
    elif request.start_step is not None or request.end_step is not None:
        raise InvalidParameter("If either start step or end step are specified, both must be specified.")
    with context.database.read() as connection:
        points = rows.metrics_of_runs(fetch_rows(connection, statement, parameters))
    return MetricsOfRuns(metrics=_in_order(_without_surplus(points, max_results), request.run_ids) or ())


def _as_one(parts: Iterator[list[Metric]]) -> Sequence[Metric] | msgspec.Raw:
    """A long history as the JSON that it ends as, made part by part: its points would take several times the memory."""
    nothing: list[Metric] = []
    first, second = next(parts, nothing), next(parts, nothing)
    if not second:
        return first or ()
    text = bytearray(b"[")
    for part in itertools.chain([first, second], parts):
        text += msgspec.json.encode(part)[1:-1] + b","
    text[-1:] = b"]"
    return msgspec.Raw(text)


def _check_runs(run_ids: Sequence[str], call: str) -> None:
    if not run_ids:
        raise InvalidParameter(f"{call} request must specify at least one run_id.")
    if len(run_ids) > MAX_RUNS:
        most = "must specify at most" if call.endswith("Interval") else "cannot specify more than"
        raise InvalidParameter(f"{call} request {most} {MAX_RUNS} run_ids. Received {len(run_ids)} run_ids.")


def _without_surplus(points: Iterable[MetricOfRun], max_results: int) -> dict[str, list[MetricOfRun]]:
    """The last point takes the place of the last but one where it would be one too many."""
    of_runs: dict[str, list[MetricOfRun]] = {}
    for run_id, group in itertools.groupby(points, key=lambda point: point.run_id):
        found = list(group)
        if len(found) > max_results:
            del found[max_results - 1 : -1]
        of_runs[run_id] = found
    return of_runs


def _in_order(of_runs: dict[str, list[MetricOfRun]], run_ids: Sequence[str]) -> list[MetricOfRun]:
    """The runs as they were asked for, one that was named twice twice."""
    return [point for run_id in run_ids for point in of_runs.get(run_id, ())]
