"""Conversations with our server and with MLflow's own: what the contract says, in an order that a person would try.

A conversation is a list of calls. What an answer makes up, such as the id of a run, is kept under a name and put into
later calls as `«name»`. Where the answers may differ is listed in one place, `tests/support/parity/quirks.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import pytest

from tests.support.parity import calls
from tests.support.parity.answers import Json
from tests.support.parity.calls import API, FILES, Call
from tests.support.parity.sequences import Comparison, Tally
from tests.support.parity.servers import Pair

NOTHING: Final = "0" * 32


def post(path: str, keep: Mapping[str, str] | None = None, /, **fields: Json) -> Call:
    return send("POST", path, keep, **fields)


def send(method: str, path: str, keep: Mapping[str, str] | None = None, /, **fields: Json) -> Call:
    return calls.send(method, path.removeprefix("/"), fields, keep=keep or {})


def raw(method: str, path: str, body: bytes, content_type: str = "application/json") -> Call:
    return Call(endpoint=f"{method} {path}", method=method, path=path, body=body, content_type=content_type)


def get(path: str) -> Call:
    path, _, query = path.partition("?")
    asked = [(key, value) for key, _, value in (pair.partition("=") for pair in query.split("&") if pair)]
    whole = path if path.startswith("/api") else API + path
    return Call(endpoint=f"GET {path.removeprefix('/')}", method="GET", path=whole, query=asked)


A_RUN: Final = [
    post("/experiments/create", {"experiment": "experiment_id"}, name="«conversation»"),
    post(
        "/runs/create",
        {"run": "run.info.run_id"},
        experiment_id="«experiment»",
        start_time=1000,
        run_name="first",
        tags=[{"key": "a", "value": "1"}],
    ),
]

CONVERSATIONS: Final[Mapping[str, Sequence[Call]]] = {
    "experiments": [
        post("/experiments/create", {"it": "experiment_id"}, name="conversed", tags=[{"key": "team", "value": "blue"}]),
        get("/experiments/get?experiment_id=«it»"),
        get("/experiments/get-by-name?experiment_name=conversed"),
        post("/experiments/create", name="conversed"),
        post("/experiments/set-experiment-tag", experiment_id="«it»", key="k", value="v"),
        post("/experiments/delete-experiment-tag", experiment_id="«it»", key="k"),
        post("/experiments/delete-experiment-tag", experiment_id="«it»", key="k"),
        post("/experiments/update", experiment_id="«it»", new_name="conversed anew"),
        post("/experiments/update", experiment_id="«it»"),
        post("/experiments/delete", experiment_id="«it»"),
        post("/experiments/delete", experiment_id="«it»"),
        post("/experiments/set-experiment-tag", experiment_id="«it»", key="k", value="v"),
        post("/runs/create", experiment_id="«it»"),
        post("/experiments/restore", experiment_id="«it»"),
        get("/experiments/get?experiment_id=«it»"),
    ],
    "experiments-that-cannot-be": [
        get("/experiments/get?experiment_id=424242"),
        get("/experiments/get?experiment_id=abc"),
        get("/experiments/get"),
        get("/experiments/get-by-name?experiment_name=nothing"),
        post("/experiments/create"),
        post("/experiments/create", name=""),
        post("/experiments/create", name=7),
        post("/experiments/create", name="n" * 501),
        post("/experiments/create", name="x", artifact_location="s3://bucket/a#b"),
        post("/experiments/search"),
        post("/experiments/search", max_results=0),
        post("/experiments/search", max_results=10, filter="nonsense = 'x'"),
        post("/experiments/search", max_results=10, page_token="nonsense"),
    ],
    "bodies": [
        raw("POST", f"{API}/experiments/create", b"not json"),
        raw("POST", f"{API}/experiments/create", b""),
        raw("POST", f"{API}/experiments/create", b'{"name": "typed"}', "text/plain"),
        raw("POST", f"{API}/experiments/create", b'{"name": "unknown fields", "colour": "red"}'),
        raw("POST", f"{API}/experiments/search", b'{"maxResults": "5", "filter": "name = \'nothing\'"}'),
        raw("POST", f"{API}/experiments/search", b'{"max_results": 5, "view_type": "nonsense", "order_by": ["name"]}'),
        raw("POST", f"{API}/runs/search", b'{"experiment_ids": "0"}'),
        get("/experiments/search?max_results=1&filter=name = 'Default'"),
    ],
    "runs": [
        *A_RUN,
        get("/runs/get?run_id=«run»"),
        get("/runs/get?run_uuid=«run»"),
        post("/runs/log-parameter", run_id="«run»", key="depth", value="3"),
        post("/runs/log-parameter", run_id="«run»", key="depth", value="3"),
        post("/runs/log-parameter", run_id="«run»", key="depth", value="4"),
        post("/runs/log-metric", run_id="«run»", key="loss", value=0.5, timestamp=1, step=1),
        post("/runs/log-metric", run_id="«run»", key="loss", value="NaN", timestamp=2, step=2),
        post("/runs/log-metric", run_id="«run»", key="loss", value="Infinity", timestamp=3, step=0),
        post("/runs/log-metric", run_id="«run»", key="loss", timestamp=3),
        post("/runs/log-metric", run_id="«run»", key="loss", value=1, timestamp=-3),
        post("/runs/log-metric", run_id="«run»", key="../loss", value=1, timestamp=1),
        post("/runs/set-tag", run_id="«run»", key="mlflow.runName", value="renamed"),
        post("/runs/delete-tag", run_id="«run»", key="a"),
        post("/runs/delete-tag", run_id="«run»", key="a"),
        get("/runs/get?run_id=«run»"),
        get("/metrics/get-history?run_id=«run»&metric_key=loss"),
        get("/metrics/get-history?run_id=«run»&metric_key=loss&max_results=2"),
        get("/metrics/get-history?run_id=«run»&metric_key=loss&max_results=0"),
        post("/runs/update", run_id="«run»", status="FINISHED", end_time=2000),
        post("/runs/update", run_id="«run»", status=77),
        post("/runs/delete", run_id="«run»"),
        post("/runs/set-tag", run_id="«run»", key="k", value="v"),
        post("/runs/delete", run_uuid="«run»"),
        post("/runs/restore", run_id="«run»"),
        get(f"/runs/get?run_id={NOTHING}"),
        get("/runs/get"),
        post("/runs/create", experiment_id=0),
        post("/runs/create", experiment_id="424242"),
        post(
            "/runs/create", experiment_id="«experiment»", run_name="a", tags=[{"key": "mlflow.runName", "value": "b"}]
        ),
    ],
    "batches": [
        *A_RUN,
        post(
            "/runs/log-batch",
            run_id="«run»",
            metrics=[{"key": "m", "value": 1.5, "timestamp": 1, "step": 0}, {"key": "m", "value": 2, "timestamp": 1}],
            params=[{"key": "p", "value": "1"}],
            tags=[{"key": "t", "value": "1"}, {"key": "t", "value": "2"}],
        ),
        get("/runs/get?run_id=«run»"),
        post("/runs/log-batch", run_id="«run»", params=[{"key": "p", "value": "2"}, {"key": "q", "value": "1"}]),
        post("/runs/log-batch", run_id="«run»", params=[{"key": "q", "value": "1"}, {"key": "q", "value": "1"}]),
        post("/runs/log-batch", run_id="«run»", metrics=[{"key": "m", "value": 1}]),
        post("/runs/log-batch", run_id="«run»", tags=[{"key": "k" * 251, "value": "1"}]),
        post("/runs/log-batch", run_id="«run»", params=[{"key": f"p{n}", "value": "1"} for n in range(101)]),
        post("/runs/log-batch", run_id="«run»"),
        post("/runs/log-batch"),
        get("/runs/get?run_id=«run»"),
    ],
    "searches": [
        *A_RUN,
        post("/runs/log-parameter", run_id="«run»", key="p", value="1"),
        post("/runs/log-metric", run_id="«run»", key="m", value=0.5, timestamp=1),
        *(
            post("/runs/search", experiment_ids=["«experiment»"], filter=text)
            for text in (
                "metrics.m > 0.4 and params.p = '1'",
                "metrics.m > 0.6",
                'tags."mlflow.runName" = "first"',
                "attributes.start_time = 1000",
                "run_name LIKE 'fir%'",
                "params.p IN ('1')",
                "params.p = 1",
                "metrics.m = 'x'",
                "metrics.m > 1 OR metrics.m < 1",
                "colour = 'red'",
                "(metrics.m > 0)",
            )
        ),
        post("/runs/search", experiment_ids=["«experiment»"], order_by=["metrics.m DESC", "params.p"]),
        post("/runs/search", experiment_ids=["«experiment»"], order_by=["nonsense.m DESC"]),
        post("/runs/search", experiment_ids=["«experiment»"], max_results=0),
        post("/runs/search", experiment_ids=["«experiment»"], max_results=50001),
        post("/runs/search", experiment_ids=["«experiment»"], page_token="nonsense"),
        post("/runs/search", experiment_ids=[]),
        post("/runs/search", experiment_ids=["«experiment»"], run_view_type="DELETED_ONLY"),
    ],
    "files": [
        *A_RUN,
        raw("PUT", f"{FILES}/«experiment»/«run»/artifacts/a/b.txt", b"hello", "application/octet-stream"),
        get(f"{FILES}/«experiment»/«run»/artifacts/a/b.txt"),
        get(f"{FILES}?path=«experiment»/«run»/artifacts"),
        get(f"{FILES}?path=«experiment»/«run»/artifacts/a"),
        get(f"{FILES}?path=nothing"),
        get(f"{FILES}?path=../.."),
        get(f"{FILES}/nothing/a.txt"),
        get(f"{FILES}/«experiment»/«run»/artifacts/a"),
        get(f"{FILES}/%2e%2e/secret"),
        get("/artifacts/list?run_id=«run»"),
        get("/artifacts/list?run_id=«run»&path=a"),
        get("/artifacts/list?run_id=«run»&path=../a"),
        get("/artifacts/list"),
        raw("DELETE", f"{FILES}/«experiment»/«run»/artifacts/a", b""),
        raw("DELETE", f"{FILES}/«experiment»/«run»/artifacts/a", b""),
        get("/artifacts/list?run_id=«run»"),
    ],
    "inputs-and-models": [
        *A_RUN,
        post(
            "/runs/log-inputs",
            run_id="«run»",
            datasets=[
                {
                    "tags": [{"key": "mlflow.data.context", "value": "train"}],
                    "dataset": {"name": "d", "digest": "1", "source_type": "local", "source": "s"},
                }
            ],
        ),
        post("/runs/log-inputs", run_id="«run»", datasets=[{"dataset": {"name": "n" * 501, "digest": "1"}}]),
        post("/logged-models", {"model": "model.info.model_id"}, experiment_id="«experiment»", name="forest"),
        post("/logged-models", experiment_id="«experiment»", name="a/b"),
        get("/logged-models/«model»"),
        send("PATCH", "/logged-models/«model»", model_id="«model»", status="LOGGED_MODEL_READY"),
        send("PATCH", "/logged-models/«model»/tags", model_id="«model»", tags=[{"key": "k", "value": "v"}]),
        send("DELETE", "/logged-models/«model»/tags/k"),
        send("DELETE", "/logged-models/«model»/tags/k"),
        post("/runs/outputs", run_id="«run»", models=[{"model_id": "«model»", "step": 1}]),
        post("/logged-models/search", experiment_ids=["«experiment»"], filter="name = 'forest'"),
        post("/logged-models/search", experiment_ids=["«experiment»"], filter="nonsense = 1"),
        get("/runs/get?run_id=«run»"),
        send("DELETE", "/logged-models/«model»"),
        get("/logged-models/«model»"),
        get("/logged-models/m-nothing"),
    ],
    "nowhere": [
        get("/nothing"),
        raw("PUT", f"{API}/runs/get", b"{}"),
        get("/runs/create"),
    ],
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_both_servers_answer_the_same(pair: Pair, name: str) -> None:
    pair.begin({"conversation": f"conversation {name}"})
    comparison = Comparison(pair=pair, tally=Tally())
    for call in CONVERSATIONS[name]:
        comparison.play(call)
    assert comparison.tally.surprises == {}
