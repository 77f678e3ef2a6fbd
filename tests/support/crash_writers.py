"""Writes to a tracking server all the time, notes what was acknowledged, and reads all of it back.

tests/cluster/crash.py runs it in a pod beside the server, so it needs the standard library alone. The
last line that it prints is its result.
"""

import http.client
import json
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

API: Final = "/api/2.0/mlflow"
FILES: Final = "/api/2.0/mlflow-artifacts/artifacts"
WRITES_OF_A_RUN: Final = 40
PAUSE_SECONDS: Final = 0.2
"""After a write that was not acknowledged."""
REST_SECONDS: Final = 0.02
"""After each write: the machine has more to do than to take them."""
READ_BACK_SECONDS: Final = 300
TIMEOUT_SECONDS: Final = 10


class Server:
    """One connection, which is made anew after each failure."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body; 0 when there is no answer, and nobody knows what has happened."""
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._host, timeout=TIMEOUT_SECONDS)
            self._connection.request(method, path, body, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return 0, b""

    def post(self, path: str, **fields: Any) -> Any:
        """What was answered to a write that was done, else None."""
        status, content = self.ask("POST", f"{API}/{path}", json.dumps(fields).encode())
        return json.loads(content) if status == http.client.OK else None

    def insist(self, path: str, deadline: float) -> bytes | None:
        """What is there; None when there is nothing."""
        while True:
            status, content = self.ask("GET", path)
            if status == http.client.OK:
                return content
            if status == http.client.NOT_FOUND:
                return None
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} is not answered")
            time.sleep(PAUSE_SECONDS)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


@dataclass
class Run:
    """What the server has acknowledged of one run."""

    run_id: str
    points: dict[int, float] = field(default_factory=dict[int, float])
    """Of the metric `loss`, by step."""
    params: dict[str, str] = field(default_factory=dict[str, str])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    files: dict[str, str] = field(default_factory=dict[str, str])
    is_finished: bool = False

    @property
    def acknowledged(self) -> Counter[str]:
        counts = {"runs": 1, "metrics": len(self.points), "params": len(self.params), "tags": len(self.tags)}
        return Counter({**counts, "files": len(self.files), "ends": int(self.is_finished)})


class Writer:
    """Logs one run after the other. Nothing is written twice: what was not acknowledged is left."""

    def __init__(self, url: str, number: int) -> None:
        self.runs: list[Run] = []
        self.unanswered = 0
        self._server = Server(url)
        self._random = random.Random(number)
        self._step = 0

    def write_until(self, end: float) -> None:
        run: Run | None = None
        while time.monotonic() < end:
            if run is None or self._step % WRITES_OF_A_RUN == 0:
                run = self._next_run(run) or run
            self._step += 1
            if run is None or not self._write(run):
                self.unanswered += 1
                time.sleep(PAUSE_SECONDS)
            time.sleep(REST_SECONDS)
        self._server.close()

    def _next_run(self, last: Run | None) -> Run | None:
        if last is not None and self._server.post("runs/update", run_id=last.run_id, status="FINISHED", end_time=2):
            last.is_finished = True
        answer = self._server.post("runs/create", experiment_id="0", start_time=1)
        if answer is None:
            return None
        self.runs.append(Run(run_id=answer["run"]["info"]["run_id"]))
        return self.runs[-1]

    def _write(self, run: Run) -> bool:
        kinds = [self._log_metric, self._log_batch, self._set_tag, self._log_param]
        kind = self._put_file if self._step % 10 == 0 else self._random.choice(kinds)
        return kind(run)

    def _log_metric(self, run: Run) -> bool:
        value = self._random.random()
        point = {"key": "loss", "value": value, "timestamp": self._step, "step": self._step}
        if self._server.post("runs/log-metric", run_id=run.run_id, **point) is None:
            return False
        run.points[self._step] = value
        return True

    def _log_batch(self, run: Run) -> bool:
        steps = range(self._step * 1000, self._step * 1000 + 5)
        values = {step: self._random.random() for step in steps}
        metrics = [{"key": "loss", "value": value, "timestamp": step, "step": step} for step, value in values.items()]
        key, text = f"batch-{self._step}", str(self._step)
        pairs = [{"key": key, "value": text}]
        if self._server.post("runs/log-batch", run_id=run.run_id, metrics=metrics, params=pairs, tags=pairs) is None:
            return False
        run.points.update(values)
        run.params[key] = run.tags[key] = text
        return True

    def _set_tag(self, run: Run) -> bool:
        key, value = f"tag-{self._step}", str(self._random.random())
        if self._server.post("runs/set-tag", run_id=run.run_id, key=key, value=value) is None:
            return False
        run.tags[key] = value
        return True

    def _log_param(self, run: Run) -> bool:
        key, value = f"param-{self._step}", str(self._random.random())
        if self._server.post("runs/log-parameter", run_id=run.run_id, key=key, value=value) is None:
            return False
        run.params[key] = value
        return True

    def _put_file(self, run: Run) -> bool:
        path, text = f"0/{run.run_id}/artifacts/{self._step}.txt", str(self._random.random()) * 100
        if self._server.ask("PUT", f"{FILES}/{path}", text.encode())[0] != http.client.OK:
            return False
        run.files[path] = text
        return True


def lost_of(run: Run, server: Server, deadline: float) -> list[str]:
    """Everything of the run that was acknowledged and is not there as it was written."""
    content = server.insist(f"{API}/runs/get?run_id={run.run_id}", deadline)
    if content is None:
        return [f"{run.run_id}: {noun}" for noun in run.acknowledged.elements()]
    found = json.loads(content)["run"]
    data = found["data"]
    params = {param["key"]: param["value"] for param in data.get("params", [])}
    tags = {tag["key"]: tag["value"] for tag in data.get("tags", [])}
    points = read_points(run, server, deadline) if run.points else {}
    files = {path: server.insist(f"{FILES}/{path}", deadline) or b"" for path in run.files}
    lost = [
        *(f"metric at {step}" for step, value in run.points.items() if points.get(step) != value),
        *(f"param {key}" for key, value in run.params.items() if params.get(key) != value),
        *(f"tag {key}" for key, value in run.tags.items() if tags.get(key) != value),
        *(f"file {path}" for path, text in run.files.items() if files[path].decode() != text),
        *(["its end"] if run.is_finished and found["info"]["status"] != "FINISHED" else []),
    ]
    return [f"{run.run_id}: {what}" for what in lost]


def read_points(run: Run, server: Server, deadline: float) -> dict[int, float]:
    points: dict[int, float] = {}
    token = ""
    while True:
        query = f"run_id={run.run_id}&metric_key=loss&max_results=1000&page_token={token}"
        page = json.loads(server.insist(f"{API}/metrics/get-history?{query}", deadline) or b"{}")
        points.update({point.get("step", 0): point["value"] for point in page.get("metrics", [])})
        token = page.get("next_page_token", "")
        if not token:
            return points


def main(url: str, seconds: float, count: int) -> None:
    end = time.monotonic() + seconds
    writers = [Writer(url, number) for number in range(count)]
    threads = [threading.Thread(target=writer.write_until, args=[end]) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("written", flush=True)

    runs = [run for writer in writers for run in writer.runs]
    server, deadline = Server(url), time.monotonic() + READ_BACK_SECONDS
    server.insist("/readyz", deadline)
    lost = [what for run in runs for what in lost_of(run, server, deadline)]
    acknowledged = sum((run.acknowledged for run in runs), Counter[str]())
    unanswered = sum(writer.unanswered for writer in writers)
    print(json.dumps({"acknowledged": acknowledged, "unanswered": unanswered, "lost": len(lost), "some": lost[:20]}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
