"""Sends cases to a running server, and says what was wrong with its answers."""

import random
import re
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

import msgspec

from tests.support.fuzzing.requests import Case, Target, a_case, targets_of
from tests.support.fuzzing.smuggling import SHAPES
from tests.support.fuzzing.values import text
from tests.support.fuzzing.wire import Answer, Closed, Wire
from tracking_server.web.assembly import ROWS

_BASE: Final = "/api/2.0/mlflow"
_LONGEST_MESSAGE: Final = 5000
_SHOWN_CHARACTERS: Final = 1500
_REPEATED: Final = re.compile(r"(.{1,12}?)\1{9,}")
_LOOKED_BACK_EVERY: Final = 10
_NEW_VICTIMS_EVERY: Final = 150
_FILLERS: Final = 12  # ids that odd numbers may name; what is kept comes after them


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """`request`: what to send to see it again."""

    what: str
    target: str
    kind: str
    request: bytes
    answer: bytes

    def __str__(self) -> str:
        sent, got = _shown(self.request), _shown(self.answer)
        return f"{self.what}: {self.target} ({self.kind})\n    request {sent}\n    answer  {got}"


@dataclass(kw_only=True, slots=True)
class Tally:
    """`statuses`: by the route, how often each was answered."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict[str, Counter[int]])
    findings: list[Finding] = field(default_factory=list[Finding])

    @property
    def requests(self) -> int:
        return sum(counter.total() for counter in self.statuses.values())

    def report(self) -> Iterator[str]:
        together: Counter[int] = Counter()
        for name, statuses in sorted(self.statuses.items()):
            together.update(statuses)
            yield f"{name}: {_counted(statuses)}"
        yield f"{self.requests} requests: {_counted(together)}"
        yield from map(str, self.findings)
        yield f"{len(self.findings)} findings"


class Fuzzer:
    """What it keeps in mind and never touches must be the same at the end. The same seed sends the same requests."""

    def __init__(self, port: int, seed: int) -> None:
        self._choice = random.Random(seed)
        self._port = port
        self._wire = Wire(port)
        self._targets = targets_of(ROWS)
        for number in range(_FILLERS):
            self._call("experiments/create", {"name": f"filler {number}"})
        self._kept = self._make("kept")
        self._picture = self._look_at(self._kept)
        self._known = self._make("victim")
        self.tally = Tally()

    def close(self) -> None:
        self._wire.close()

    def step(self) -> None:
        """One request to each path of each route."""
        for target in self._targets:
            if self.tally.requests % _NEW_VICTIMS_EVERY == 0:
                self._known = self._make("victim")
            case = a_case(target, _known_at(target, self._known), self._choice)
            looks_back = self._choice.randrange(_LOOKED_BACK_EVERY) == 0
            before = self._look_at(self._known) if looks_back else None
            answer = self._send(target, case)
            if answer is not None and before is not None and 400 <= answer.status < 500:
                after = self._look_at(self._known)
                if before != after:
                    self._find("a refused request changed something", target, case, answer)

    def smuggle(self) -> None:
        for name, request in SHAPES.items():
            answer = self._all_that_comes(request)
            statuses = [int(line[9:12]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
            self.tally.statuses.setdefault("smuggling", Counter()).update(statuses)
            is_wrong = any(status >= 500 for status in statuses) or (b"/smuggled" in answer and statuses[0] != 200)
            if is_wrong:
                finding = Finding(what="read as two", target="smuggling", kind=name, request=request, answer=answer)
                self.tally.findings.append(finding)

    def look_back(self, log: Path) -> None:
        """Nothing that was kept has changed, and nothing was a surprise to the server."""
        for (_, before), (status, after) in zip(self._picture, self._look_at(self._kept), strict=True):
            if before != after:
                told = Finding(
                    what="what was kept has changed", target="", kind=str(status), request=before, answer=after
                )
                self.tally.findings.append(told)
        for line in log.read_text().splitlines():
            if '"traceback"' in line or '"level":"error"' in line or not line.startswith("{"):
                self.tally.findings.append(
                    Finding(what="in the log", target="log", kind="", request=b"", answer=line.encode())
                )

    def _send(self, target: Target, case: Case) -> Answer | None:
        request = case.wire()
        try:
            answer = self._wire.ask(request, is_head=case.method == "HEAD", is_last=case.is_last)
        except (Closed, TimeoutError) as error:
            self._wire.close()
            self._find(f"no answer ({type(error).__name__})", target, case, None)
            return None
        self.tally.statuses.setdefault(target.name, Counter())[answer.status] += 1
        if fault := _fault(case, answer):
            self._find(fault, target, case, answer)
        return answer

    def _find(self, what: str, target: Target, case: Case, answer: Answer | None) -> None:
        told = b"" if answer is None else str(answer.status).encode() + b" " + answer.body
        self.tally.findings.append(
            Finding(what=what, target=target.name, kind=case.kind, request=case.wire(), answer=told)
        )

    def _all_that_comes(self, request: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self._port), timeout=20) as opened:
            opened.sendall(request)
            answer = b""
            try:
                while part := opened.recv(65_536):
                    answer += part
            except ConnectionError:
                pass
            return answer

    def _make(self, name: str) -> dict[str, str]:
        """An experiment, a run with data, a logged model and a file: tokens by the names of their fields."""
        unique = f"{name} {self._choice.randrange(10**12)}"
        experiment = self._call("experiments/create", {"name": unique})["experiment_id"]
        run = self._call("runs/create", {"experiment_id": experiment, "run_name": "r"})["run"]["info"]["run_id"]
        self._call(
            "runs/log-batch",
            {
                "run_id": run,
                "metrics": [{"key": "m", "value": 0.5, "timestamp": 1, "step": step} for step in range(3)],
                "params": [{"key": "p", "value": "1"}],
                "tags": [{"key": "t", "value": "\U0001f389"}],
            },
        )
        model = self._call("logged-models", {"experiment_id": experiment, "name": "m"})["model"]["info"]["model_id"]
        path = f"{experiment}/{run}/artifacts/a.txt"
        put = Case(kind="", method="PUT", target=f"/api/2.0/mlflow-artifacts/artifacts/{path}".encode(), body=b"file")
        self._wire.ask(put.wire())
        self._call("registered-models/create", {"name": unique})
        source = {"name": unique, "source": f"mlflow-artifacts:/{experiment}/{run}/artifacts", "run_id": run}
        self._call("model-versions/create", source)
        self._call("registered-models/alias", {"name": unique, "alias": "champion", "version": "1"})
        model_json = text(
            msgspec.json.encode({"run_id": run, "artifact_path": "m", "flavors": {}, "utc_time_created": "x"}).decode()
        )
        return {
            "experiment_id": text(experiment),
            "experiment_ids": f"[{text(experiment)}]",
            "experiment_name": text(unique),
            "run_id": text(run),
            "run_uuid": text(run),
            "run_ids": f"[{text(run)}]",
            "source_run_id": text(run),
            "model_id": text(model),
            "model_json": model_json,
            "metric_key": text("m"),
            "path": text("a.txt"),
            "artifact_path": text(path),
            "tag_key": text("t"),
            "max_results": "5",
            "page_token": text(""),
            "filter": text(""),
            "order_by": "[]",
            "file": text(path),
            "registered": text(unique),
            "source": text(source["source"]),
            "version": text("1"),
            "alias": text("champion"),
            "stage": text("Staging"),
        }

    def _call(self, path: str, document: object) -> Any:
        body = msgspec.json.encode(document)
        headers = {"Content-Type": "application/json"}
        case = Case(kind="", method="POST", target=f"{_BASE}/{path}".encode(), body=body, headers=headers)
        answer = self._wire.ask(case.wire())
        if answer.status != HTTPStatus.OK:
            raise AssertionError((path, document, answer))
        return answer.json

    def _look_at(self, known: dict[str, str]) -> list[tuple[int, bytes]]:
        run, experiment, model, path, registered = (
            msgspec.json.decode(known[name]) for name in ("run_id", "experiment_id", "model_id", "file", "registered")
        )
        return [
            (answer.status, _sorted(answer) if answer.status == HTTPStatus.OK else b"")
            for target in (
                f"{_BASE}/runs/get?run_id={run}",
                f"{_BASE}/metrics/get-history?run_id={run}&metric_key=m",
                f"{_BASE}/experiments/get?experiment_id={experiment}",
                f"{_BASE}/logged-models/{model}",
                f"/api/2.0/mlflow-artifacts/artifacts/{path}",
                f"{_BASE}/registered-models/get?name={quote(registered)}",
                f"{_BASE}/model-versions/get?name={quote(registered)}&version=1",
            )
            if (answer := self._wire.ask(Case(kind="", method="GET", target=target.encode()).wire()))
        ]


def _sorted(answer: Answer) -> bytes:
    """The order inside of lists means nothing, and a database may change it."""
    if answer.headers["content-type"] != "application/json":
        return answer.body
    return msgspec.json.encode(_in_order(answer.json), order="deterministic")


def _in_order(value: object) -> object:
    if isinstance(value, dict):
        return {name: _in_order(each) for name, each in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return sorted(map(_in_order, cast("list[object]", value)), key=repr)
    return value


def _known_at(target: Target, known: Mapping[str, str]) -> Mapping[str, str]:
    """`name` is that of a registered model where it is one."""
    is_registry = "registered-models" in target.path or "model-versions" in target.path
    return {**known, "name": known["registered"]} if is_registry else known


def _fault(case: Case, answer: Answer) -> str:
    """What is wrong with an answer; empty when nothing is."""
    match answer.status:
        case HTTPStatus.NOT_IMPLEMENTED:
            pass
        case HTTPStatus.SERVICE_UNAVAILABLE if "retry-after" in answer.headers:
            pass
        case status if status >= 500:
            return "the server's fault"
        case status if status < 400:
            return ""
        case _:
            pass
    if case.method == "HEAD" or answer.status in {304, 412}:
        return ""
    try:
        document = answer.json
        code, message = document["error_code"], document["message"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return "an error that is not told as JSON"
    if not isinstance(code, str) or not isinstance(message, str) or not message or not code:
        return "an error without a code or a message"
    return "a message that is too long" if len(message) > _LONGEST_MESSAGE else ""


def _counted(statuses: Counter[int]) -> str:
    return ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))


def _shown(data: bytes) -> str:
    """What repeats is told by its number: the seed sends it again as it was."""
    told = _REPEATED.sub(lambda found: f"{found[1]}{{{len(found[0]) // len(found[1])} times}}", repr(data))
    return told if len(told) <= _SHOWN_CHARACTERS else f"{told[:_SHOWN_CHARACTERS]}... ({len(data)} bytes)"
