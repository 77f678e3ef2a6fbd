"""The same HTTP calls to our server and to MLflow's own: status, error code and body of each answer are equal.

A conversation is a list of calls. What an answer makes up, such as the id of a run, is kept under a name and put into
later calls as `{name}`. Bodies are compared without messages, which are ours to write.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from tests.support.http import Reply, call
from tests.support.parity.answers import Json, assert_same, normalised

API: Final = "/api/2.0/mlflow"
FILES: Final = "/api/2.0/mlflow-artifacts/artifacts"
NOTHING: Final = "0" * 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    method: str
    path: str
    body: bytes | None
    content_type: str = "application/json"
    keep: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names for parts of the answer, each given by the path that leads to it."""
    better: str = ""
    """Why ours answers otherwise. Then only that it does is tested, and that it does not fail."""

    def __str__(self) -> str:
        return f"{self.method} {self.path} {(self.body or b'').decode()}"


def post(path: str, keep: Mapping[str, str] | None = None, /, **fields: object) -> Call:
    return send("POST", path, keep, **fields)


def send(method: str, path: str, keep: Mapping[str, str] | None = None, /, **fields: object) -> Call:
    return Call(method=method, path=API + path, body=json.dumps(fields).encode(), keep=keep or {})


def raw(method: str, path: str, body: bytes, content_type: str = "application/json") -> Call:
    return Call(method=method, path=path, body=body, content_type=content_type)


def get(path: str) -> Call:
    return Call(method="GET", path=path if path.startswith("/api") else API + path, body=None)


A_RUN: Final = [
    post("/experiments/create", {"experiment": "experiment_id"}, name="{conversation}"),
    post(
        "/runs/create",
        {"run": "run.info.run_id"},
        experiment_id="{experiment}",
        start_time=1000,
        run_name="first",
        tags=[{"key": "a", "value": "1"}],
    ),
]

CONVERSATIONS: Final[Mapping[str, Sequence[Call]]] = {
    "experiments": [
        post("/experiments/create", {"it": "experiment_id"}, name="conversed", tags=[{"key": "team", "value": "blue"}]),
        get("/experiments/get?experiment_id={it}"),
        get("/experiments/get-by-name?experiment_name=conversed"),
        post("/experiments/create", name="conversed"),
        post("/experiments/set-experiment-tag", experiment_id="{it}", key="k", value="v"),
        post("/experiments/delete-experiment-tag", experiment_id="{it}", key="k"),
        post("/experiments/delete-experiment-tag", experiment_id="{it}", key="k"),
        post("/experiments/update", experiment_id="{it}", new_name="conversed anew"),
        post("/experiments/update", experiment_id="{it}"),
        post("/experiments/delete", experiment_id="{it}"),
        post("/experiments/delete", experiment_id="{it}"),
        post("/experiments/set-experiment-tag", experiment_id="{it}", key="k", value="v"),
        post("/runs/create", experiment_id="{it}"),
        post("/experiments/restore", experiment_id="{it}"),
        get("/experiments/get?experiment_id={it}"),
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
        get("/experiments/search?max_results=1&filter=name%20%3D%20%27Default%27"),
    ],
    "runs": [
        *A_RUN,
        get("/runs/get?run_id={run}"),
        get("/runs/get?run_uuid={run}"),
        post("/runs/log-parameter", run_id="{run}", key="depth", value="3"),
        post("/runs/log-parameter", run_id="{run}", key="depth", value="3"),
        post("/runs/log-parameter", run_id="{run}", key="depth", value="4"),
        post("/runs/log-metric", run_id="{run}", key="loss", value=0.5, timestamp=1, step=1),
        post("/runs/log-metric", run_id="{run}", key="loss", value="NaN", timestamp=2, step=2),
        post("/runs/log-metric", run_id="{run}", key="loss", value="Infinity", timestamp=3, step=0),
        post("/runs/log-metric", run_id="{run}", key="loss", timestamp=3),
        post("/runs/log-metric", run_id="{run}", key="loss", value=1, timestamp=-3),
        post("/runs/log-metric", run_id="{run}", key="../loss", value=1, timestamp=1),
        post("/runs/set-tag", run_id="{run}", key="mlflow.runName", value="renamed"),
        post("/runs/delete-tag", run_id="{run}", key="a"),
        post("/runs/delete-tag", run_id="{run}", key="a"),
        get("/runs/get?run_id={run}"),
        get("/metrics/get-history?run_id={run}&metric_key=loss"),
        get("/metrics/get-history?run_id={run}&metric_key=loss&max_results=2"),
        get("/metrics/get-history?run_id={run}&metric_key=loss&max_results=0"),
        post("/runs/update", run_id="{run}", status="FINISHED", end_time=2000),
        post("/runs/update", run_id="{run}", status=77),
        post("/runs/delete", run_id="{run}"),
        post("/runs/set-tag", run_id="{run}", key="k", value="v"),
        replace(post("/runs/delete", run_uuid="{run}"), better="a run_id that is missing is said to be missing"),
        post("/runs/restore", run_id="{run}"),
        get(f"/runs/get?run_id={NOTHING}"),
        get("/runs/get"),
        post("/runs/create", experiment_id=0),
        post("/runs/create", experiment_id="424242"),
        post(
            "/runs/create", experiment_id="{experiment}", run_name="a", tags=[{"key": "mlflow.runName", "value": "b"}]
        ),
    ],
    "batches": [
        *A_RUN,
        post(
            "/runs/log-batch",
            run_id="{run}",
            metrics=[{"key": "m", "value": 1.5, "timestamp": 1, "step": 0}, {"key": "m", "value": 2, "timestamp": 1}],
            params=[{"key": "p", "value": "1"}],
            tags=[{"key": "t", "value": "1"}, {"key": "t", "value": "2"}],
        ),
        get("/runs/get?run_id={run}"),
        post("/runs/log-batch", run_id="{run}", params=[{"key": "p", "value": "2"}, {"key": "q", "value": "1"}]),
        post("/runs/log-batch", run_id="{run}", params=[{"key": "q", "value": "1"}, {"key": "q", "value": "1"}]),
        post("/runs/log-batch", run_id="{run}", metrics=[{"key": "m", "value": 1}]),
        post("/runs/log-batch", run_id="{run}", tags=[{"key": "k" * 251, "value": "1"}]),
        post("/runs/log-batch", run_id="{run}", params=[{"key": f"p{n}", "value": "1"} for n in range(101)]),
        post("/runs/log-batch", run_id="{run}"),
        post("/runs/log-batch"),
        get("/runs/get?run_id={run}"),
    ],
    "searches": [
        *A_RUN,
        post("/runs/log-parameter", run_id="{run}", key="p", value="1"),
        post("/runs/log-metric", run_id="{run}", key="m", value=0.5, timestamp=1),
        *(
            post("/runs/search", experiment_ids=["{experiment}"], filter=text)
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
        post("/runs/search", experiment_ids=["{experiment}"], order_by=["metrics.m DESC", "params.p"]),
        post("/runs/search", experiment_ids=["{experiment}"], order_by=["nonsense.m DESC"]),
        post("/runs/search", experiment_ids=["{experiment}"], max_results=0),
        post("/runs/search", experiment_ids=["{experiment}"], max_results=50001),
        post("/runs/search", experiment_ids=["{experiment}"], page_token="nonsense"),
        post("/runs/search", experiment_ids=[]),
        post("/runs/search", experiment_ids=["{experiment}"], run_view_type="DELETED_ONLY"),
    ],
    "files": [
        *A_RUN,
        raw("PUT", f"{FILES}/{{experiment}}/{{run}}/artifacts/a/b.txt", b"hello", "application/octet-stream"),
        get(f"{FILES}/{{experiment}}/{{run}}/artifacts/a/b.txt"),
        get(f"{FILES}?path={{experiment}}/{{run}}/artifacts"),
        get(f"{FILES}?path={{experiment}}/{{run}}/artifacts/a"),
        get(f"{FILES}?path=nothing"),
        get(f"{FILES}?path=../.."),
        get(f"{FILES}/nothing/a.txt"),
        replace(get(f"{FILES}/{{experiment}}/{{run}}/artifacts/a"), better="every error has an error code"),
        get(f"{FILES}/%2e%2e/secret"),
        get("/artifacts/list?run_id={run}"),
        get("/artifacts/list?run_id={run}&path=a"),
        get("/artifacts/list?run_id={run}&path=../a"),
        get("/artifacts/list"),
        raw("DELETE", f"{FILES}/{{experiment}}/{{run}}/artifacts/a", b""),
        raw("DELETE", f"{FILES}/{{experiment}}/{{run}}/artifacts/a", b""),
        get("/artifacts/list?run_id={run}"),
    ],
    "inputs-and-models": [
        *A_RUN,
        post(
            "/runs/log-inputs",
            run_id="{run}",
            datasets=[
                {
                    "tags": [{"key": "mlflow.data.context", "value": "train"}],
                    "dataset": {"name": "d", "digest": "1", "source_type": "local", "source": "s"},
                }
            ],
        ),
        post("/runs/log-inputs", run_id="{run}", datasets=[{"dataset": {"name": "n" * 501, "digest": "1"}}]),
        post("/logged-models", {"model": "model.info.model_id"}, experiment_id="{experiment}", name="forest"),
        post("/logged-models", experiment_id="{experiment}", name="a/b"),
        get("/logged-models/{model}"),
        send("PATCH", "/logged-models/{model}", model_id="{model}", status="LOGGED_MODEL_READY"),
        send("PATCH", "/logged-models/{model}/tags", model_id="{model}", tags=[{"key": "k", "value": "v"}]),
        send("DELETE", "/logged-models/{model}/tags/k"),
        send("DELETE", "/logged-models/{model}/tags/k"),
        post("/runs/outputs", run_id="{run}", models=[{"model_id": "{model}", "step": 1}]),
        post("/logged-models/search", experiment_ids=["{experiment}"], filter="name = 'forest'"),
        replace(
            post("/logged-models/search", experiment_ids=["{experiment}"], filter="nonsense = 1"),
            better="a filter that cannot be is the user's mistake, not a failure of the server",
        ),
        get("/runs/get?run_id={run}"),
        send("DELETE", "/logged-models/{model}"),
        get("/logged-models/{model}"),
        get("/logged-models/m-nothing"),
    ],
    "nowhere": [
        get("/nothing"),
        replace(raw("PUT", f"{API}/runs/get", b"{}"), better="a wrong verb is said in JSON, with an error code"),
        replace(get("/runs/create"), better="a wrong verb is said in JSON, with an error code"),
    ],
}


def hold(url: str, name: str, calls: Sequence[Call]) -> list[dict[str, Json]]:
    kept = {"conversation": f"conversation {name}"}
    answers: list[dict[str, Json]] = []
    for one in calls:
        reply = call(
            url,
            one.method,
            filled(one.path, kept),
            None if one.body is None else filled(one.body.decode(), kept).encode(),
            {"Content-Type": one.content_type} if one.body is not None else {},
        )
        answers.append(comparable(reply))
        for what, path in one.keep.items():
            kept[what] = at(reply.json, path)
    return answers


def filled(text: str, kept: Mapping[str, str]) -> str:
    for what, value in kept.items():
        text = text.replace(f"{{{what}}}", value)
    return text


def at(document: Any, path: str) -> str:
    for key in path.split("."):
        document = document[key]
    return str(document)


def comparable(reply: Reply) -> dict[str, Json]:
    """Of errors the status and the code; an unknown path need not be answered in JSON, and empty is as good as `{}`."""
    if not reply.body:
        return {"status": reply.status, "body": {}}
    if "json" not in reply.headers.get("content-type", ""):
        return {"status": reply.status, "body": reply.body.decode() if reply.status == 200 else ""}
    document: dict[str, Json] = reply.json
    if reply.status >= 400:
        code = document.get("error_code", "")
        return {"status": reply.status, "body": "" if code == "ENDPOINT_NOT_FOUND" else code}
    return {"status": reply.status, "body": document}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_both_servers_answer_the_same(ours: str, theirs: str, name: str) -> None:
    calls = CONVERSATIONS[name]
    answers = [hold(url, name, calls) for url in (ours, theirs)]
    for one, ours_said, theirs_said in zip(calls, *answers, strict=True):
        if one.better:
            assert ours_said != theirs_said, f"no longer better: {one}"
            assert int(str(ours_said["status"])) < 500
            ours_said.clear()
            theirs_said.clear()
    left, right = (
        normalised({f"{index}: {one}": answer for index, (one, answer) in enumerate(zip(calls, held, strict=True))})
        for held in answers
    )
    assert_same(left, right)
