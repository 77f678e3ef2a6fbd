"""What is measured under load: requests on connections that stay open, and the bars of docs/performance.md."""

import itertools
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from tests.bench import seeds
from tests.bench.load import Conversation, Load, Request, again, get, head, post
from tests.bench.seeds import Scale

_API: Final = "/api/2.0/mlflow"
_FILES: Final = "/api/2.0/mlflow-artifacts/artifacts"
_PIECE: Final = bytes(range(256)) * 4096
_SMALL_FILE: Final = _PIECE[:4096]
_TOKEN: Final = re.compile(rb'"next_page_token": ?"([^"]+)"')
_PAGE_POINTS: Final = 4
"""The long history is read in so many pages."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Throughput:
    """`per_request`: how much of `unit` one request is, by the scale."""

    name: str
    title: str
    connections: int
    converse: Callable[[Scale, int], Conversation]
    check: Callable[[Scale, bytes], None]
    unit: str = "requests/s"
    per_request: Callable[[Scale], float] = lambda _: 1.0
    keeps_bodies: bool = False
    bar: float | None = None
    """How many times as fast as MLflow's default server it should be."""
    bar_of_gthread: float | None = None

    def load(self, scale: Scale) -> Load:
        return Load(
            converse=lambda number: self.converse(scale, number),
            connections=self.connections,
            seconds=scale.seconds,
            check=lambda body: self.check(scale, body),
            keeps_bodies=self.keeps_bodies,
        )


def _is_json(_: Scale, body: bytes) -> None:
    msgspec.json.decode(body, type=dict[str, Any])


def _is_stored(_: Scale, _body: bytes) -> None:
    """A 200 says so: MLflow's server answers with nothing, or with `{}`."""


def _has(name: str, count: Callable[[Scale], int], inside: Callable[[Any], Any] = lambda item: item) -> Any:
    """A check that an answer holds so many things, and that the last of them is whole."""

    def check(scale: Scale, body: bytes) -> None:
        items = msgspec.json.decode(body).get(name, [])
        assert len(items) == count(scale), f"{len(items)} {name} instead of {count(scale)}"
        assert inside(items[-1])

    return check


def _is_whole_run(run: Any) -> bool:
    data = run["data"]
    return (len(data["metrics"]), len(data["params"]), len(data["tags"])) == (20, 20, 8)


def _unique() -> "itertools.count[int]":
    """Numbers that no earlier measurement has used."""
    return itertools.count(time.time_ns() // 1000)


def _create_runs(scale: Scale, number: int) -> Conversation:
    tags = [{"key": "mlflow.user", "value": "somebody"}, {"key": "mlflow.source.name", "value": "train.py"}]
    return again(
        post(
            f"{_API}/runs/create",
            {"experiment_id": str(seeds.SCRATCH), "run_name": f"run-{number}", "start_time": seeds.NOW, "tags": tags},
        )
    )


def _log_metrics(scale: Scale, number: int) -> Conversation:
    for step in _unique():
        yield post(
            f"{_API}/runs/log-metric",
            {"run_id": seeds.scratch_run(number), "key": "loss", "value": 0.5, "timestamp": seeds.NOW, "step": step},
        )


def _log_a_thousand_metrics(scale: Scale, number: int) -> Conversation:
    for batch in _unique():
        metrics = [
            {"key": f"m{key}", "value": key / 7, "timestamp": seeds.NOW + step, "step": batch * 50 + step}
            for step in range(50)
            for key in range(20)
        ]
        yield post(f"{_API}/runs/log-batch", {"run_id": seeds.scratch_run(number), "metrics": metrics})


def _log_mixed_batches(scale: Scale, number: int) -> Conversation:
    share = scale.scratch_runs // 8
    for batch in _unique():
        yield post(
            f"{_API}/runs/log-batch",
            {
                "run_id": seeds.scratch_run(number * share + batch % share),
                "metrics": [
                    {"key": f"metric{key}", "value": key / 7, "timestamp": seeds.NOW, "step": batch}
                    for key in range(50)
                ],
                "params": [{"key": f"param{key}-{batch}", "value": "a value"} for key in range(100)],
                "tags": [{"key": f"tag{key}", "value": f"value {batch}"} for key in range(20)],
            },
        )


def _get_runs(scale: Scale, number: int) -> Conversation:
    runs = itertools.count(number)
    while True:
        yield get(f"{_API}/runs/get?run_id={seeds.searched_run(next(runs) % scale.runs)}")


def _search(**fields: object) -> Callable[[Scale, int], Conversation]:
    request = post(f"{_API}/runs/search", {"experiment_ids": [str(seeds.SEARCHED)], **fields})
    return lambda _scale, _number: again(request)


def _search_experiments(scale: Scale, number: int) -> Conversation:
    return again(post(f"{_API}/experiments/search", {"max_results": scale.experiments}))


def _read_history(scale: Scale, number: int) -> Conversation:
    token = ""
    fields = {
        "run_id": seeds.run_with_points(0),
        "metric_key": "loss",
        "max_results": scale.points // _PAGE_POINTS,
    }
    while True:
        body = yield get(
            f"{_API}/metrics/get-history?{urlencode({**fields, 'page_token': token} if token else fields)}"
        )
        found = _TOKEN.search(body[-300:]) or _TOKEN.search(body[:300])
        token = found[1].decode() if found else ""


def _read_histories(scale: Scale, number: int) -> Conversation:
    runs = [("run_id", seeds.run_with_points(number)) for number in range(1, 21)]
    fields = [*runs, ("metric_key", "loss"), ("max_results", "25000")]
    return again(get(f"/ajax-api/2.0/mlflow/metrics/get-history-bulk?{urlencode(fields)}"))


def _list_files(scale: Scale, number: int) -> Conversation:
    return again(get(f"{_API}/artifacts/list?run_id={seeds.searched_run(0)}"))


def _put_large(scale: Scale, number: int) -> Conversation:
    return again(upload("large.bin", scale.transfer_bytes))


def upload(path: str, size_bytes: int) -> Request:
    """A whole number of pieces, which are one and the same."""
    return (head("PUT", f"{_FILES}/{path}", size_bytes), *[_PIECE] * (size_bytes // len(_PIECE)))


def _get_large(scale: Scale, number: int) -> Conversation:
    return again(get(f"{_FILES}/there.bin"))


def _check_large(scale: Scale, body: bytes) -> None:
    assert len(body) >= scale.transfer_bytes, f"{len(body)} bytes instead of {scale.transfer_bytes}"


def _put_small(scale: Scale, number: int) -> Conversation:
    for name in _unique():
        yield (head("PUT", f"{_FILES}/small/{number}/{name}.txt", len(_SMALL_FILE)) + _SMALL_FILE,)


def _get_small(scale: Scale, number: int) -> Conversation:
    return again(get(f"{_FILES}/small.txt"))


def _check_small(scale: Scale, body: bytes) -> None:
    assert _SMALL_FILE in body, f"{len(body)} bytes"


def put_files(artifacts: Path, scale: Scale) -> None:
    """What is read by the workloads here, at its place in a server's store."""
    folder = artifacts / str(seeds.SEARCHED) / seeds.searched_run(0) / "artifacts"
    folder.mkdir(parents=True)
    for number in range(scale.files):
        (folder / f"file-{number:05d}.txt").write_bytes(b"x")
    (artifacts / "small.txt").write_bytes(_SMALL_FILE)
    with (artifacts / "there.bin").open("wb") as file:
        for _ in range(scale.transfer_bytes // len(_PIECE)):
            file.write(_PIECE)


def _megabytes(scale: Scale) -> float:
    return scale.transfer_bytes / 1e6


THROUGHPUT: Final[Sequence[Throughput]] = (
    Throughput(
        name="create-run",
        title="create a run, 8 clients",
        connections=8,
        converse=_create_runs,
        check=_is_json,
        bar=12,
        bar_of_gthread=5,
    ),
    Throughput(
        name="log-metric",
        title="log one metric, 8 clients",
        connections=8,
        converse=_log_metrics,
        check=_is_json,
        bar=12,
        bar_of_gthread=5,
    ),
    Throughput(
        name="log-metric-alone",
        title="log one metric, 1 client",
        connections=1,
        converse=_log_metrics,
        check=_is_json,
        bar=30,
    ),
    Throughput(
        name="log-batch-metrics",
        title="log-batch of 1,000 metrics, 8 clients",
        connections=8,
        converse=_log_a_thousand_metrics,
        check=_is_json,
        bar=5,
    ),
    Throughput(
        name="log-batch-mixed",
        title="log-batch of 100 params, 20 tags, 50 metrics, 8 clients",
        connections=8,
        converse=_log_mixed_batches,
        check=_is_json,
        bar=6,
    ),
    Throughput(
        name="get-run",
        title="get a run of 20 metrics, 20 params, 8 tags, 8 clients",
        connections=8,
        converse=_get_runs,
        check=lambda _scale, body: _check_run(body),
    ),
    Throughput(
        name="search-filtered",
        title="search 10,000 runs by a metric and a param, page of 100, 4 clients",
        connections=4,
        converse=_search(filter="metrics.m0 > 0.5 and params.p0 = 'v3'", max_results=100),
        check=_has(
            "runs", lambda scale: min(100, sum(map(seeds.matches_filter, range(scale.runs)))), inside=_is_whole_run
        ),
        bar=10,
    ),
    Throughput(
        name="search-many",
        title="search without a filter, page of 1,000 runs, 4 clients",
        connections=4,
        converse=_search(max_results=1000),
        check=_has("runs", lambda scale: min(1000, scale.runs), inside=_is_whole_run),
        bar=15,
    ),
    Throughput(
        name="history",
        title="history of 100,000 points in pages of 25,000, 1 client",
        connections=1,
        converse=_read_history,
        check=_has("metrics", lambda scale: scale.points // _PAGE_POINTS),
        keeps_bodies=True,
        unit="histories/s",
        per_request=lambda _: 1 / _PAGE_POINTS,
        bar=15,
    ),
    Throughput(
        name="history-bulk",
        title="bulk history of 20 runs with 1,000 points each, 4 clients",
        connections=4,
        converse=_read_histories,
        check=_has("metrics", lambda scale: 20 * (scale.points // 100)),
        bar=12,
    ),
    Throughput(
        name="search-experiments",
        title="search experiments, page of 1,000, 4 clients",
        connections=4,
        converse=_search_experiments,
        check=_has("experiments", lambda scale: scale.experiments, inside=lambda found: len(found["tags"]) == 3),
        bar=13,
    ),
    Throughput(
        name="list-files",
        title="list a folder of 2,000 files, 4 clients",
        connections=4,
        converse=_list_files,
        check=_has("files", lambda scale: scale.files),
        bar=14,
    ),
    Throughput(
        name="upload",
        title="proxied upload of 256 MiB, 1 client",
        connections=1,
        converse=_put_large,
        check=_is_stored,
        unit="MB/s",
        per_request=_megabytes,
        bar=3.5,
    ),
    Throughput(
        name="download",
        title="proxied download of 256 MiB, 1 client",
        connections=1,
        converse=_get_large,
        check=_check_large,
        unit="MB/s",
        per_request=_megabytes,
        bar=5,
    ),
    Throughput(
        name="upload-small",
        title="proxied uploads of 4 KiB, 8 clients",
        connections=8,
        converse=_put_small,
        check=_is_stored,
        unit="files/s",
        bar=8,
    ),
    Throughput(
        name="download-small",
        title="proxied downloads of 4 KiB, 8 clients",
        connections=8,
        converse=_get_small,
        check=_check_small,
        unit="files/s",
        bar=8,
    ),
)


def _check_run(body: bytes) -> None:
    assert _is_whole_run(msgspec.json.decode(body)["run"])
