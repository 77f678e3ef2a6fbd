"""`trackplane import` and `export`, and a server on a folder, as people run them."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.databases import opened
from tests.support.file_stores import (
    add_experiment,
    add_run,
    add_trace,
    number_of,
    rows_of,
    run_id,
    unpack_golden,
    write_text,
    write_yaml,
)
from tests.support.http import call, call_json
from tests.support.server import live_server
from tracking_server.filestore.backend import follow_folder
from tracking_server.filestore.target import Imported

API = "/api/2.0/mlflow"
TIMES = {"create_time": "2023-11-14T22:13:21Z", "last_update_time": "2023-11-14T22:13:22Z"}


def trackplane(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "TRACKPLANE_"))}
    command = [sys.executable, "-m", "tracking_server", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env={**inherited, **environ})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return unpack_golden(tmp_path)


def test_a_folder_goes_in_and_out_and_the_reports_say_so(folder: Path, tmp_path: Path) -> None:
    url, out = f"sqlite:///{tmp_path / 'a.db'}", tmp_path / "out"
    write_text(folder / "0" / run_id(1) / "meta.yaml", "")
    done = trackplane("import", str(folder), "--json", MLFLOW_BACKEND_STORE_URI=url)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["ok"], report["added"]["runs"], report["faults_total"]) == (True, 10, 1)
    assert report["faults"][0]["path"] == f"0/{run_id(1)}"

    told = trackplane("import", str(folder), "--to", url).stdout
    assert "added: nothing" in told
    assert "10 runs were there already" in told

    done = trackplane("export", url, str(out), "--rewrite-artifact-uri", "mlflow-artifacts:=s3://b", "--json")
    assert json.loads(done.stdout)["written"]["runs"] == 10
    assert "s3://b/0" in (out / "0" / "meta.yaml").read_text()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.endswith(".exporting")) == []
    again = trackplane("export", url, str(out))
    assert (again.returncode, "is not empty" in again.stderr) == (10, True)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["import", "none", "--to", "sqlite:///a.db"], 10, "does not exist", id="no folder"),
        pytest.param(["import", ".", "--to", "sqlite:///a.db"], 10, "Do you mean mlruns?", id="the folder above"),
        pytest.param(["import", "mlruns", "--to", "nothing"], 10, "no scheme", id="no database"),
        pytest.param(["import", "mlruns"], 2, "--to", id="no destination"),
        pytest.param(
            ["import", "mlruns", "--to", "sqlite:///a.db", "--rewrite-artifact-uri", "x"],
            10,
            "FROM=TO",
            id="half a rewrite",
        ),
        pytest.param(["export", "sqlite:///none.db", "out"], 13, "empty", id="an empty database"),
        pytest.param(["export", "a", "b", "c"], 2, "no more", id="too many words"),
    ],
)
def test_what_cannot_work_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(folder.parent)
    done = trackplane(*arguments)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder.parent / "out").exists()


def test_a_server_on_a_folder_writes_to_the_database_beside_it_and_has_all_after_a_restart(tmp_path: Path) -> None:
    folder = unpack_golden(tmp_path)
    trace = add_trace(folder / "0", "tr-1", tags={"t": "1"}, assessments={"a-1": {}})
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with live_server(tmp_path, "--backend-store-uri", "./mlruns") as server:
        made = call_json(server.url, "POST", f"{API}/runs/create", {"experiment_id": "0", "run_name": "new"})
        assert made.status == 200
        run = {"run_id": made.json["run"]["info"]["run_id"], "key": "lr", "value": "0.1"}
        assert call_json(server.url, "POST", f"{API}/runs/log-parameter", run).status == 200
        assert call_json(server.url, "POST", f"{API}/registered-models/create", {"name": "new"}).status == 200
        gone = call(server.url, "GET", f"{API}/registered-models/search").json["registered_models"][0]["name"]
        assert call_json(server.url, "DELETE", f"{API}/registered-models/delete", {"name": gone}).status == 200
    add_run(folder / "0", run_id(1))
    write_yaml(trace / "assessments" / "a-2.yaml", {"assessment_name": "n", "feedback": {"value": 1}, **TIMES})
    with live_server(tmp_path, "--backend-store-uri", "./mlruns") as server:
        for known in (str(run["run_id"]), run_id(1)):
            assert call(server.url, "GET", f"{API}/runs/get?run_id={known}").json["run"]["info"]["run_id"] == known
        models = call(server.url, "GET", f"{API}/registered-models/search").json["registered_models"]
    names = {model["name"] for model in models}
    assert "new" in names
    assert gone not in names
    assert {path: path.read_bytes() for path in files} == files
    with opened(str(folder)) as database:
        assert (number_of(database, "trace_info"), number_of(database, "assessments")) == (1, 2)


def test_of_several_replicas_one_reads_the_folder(tmp_path: Path) -> None:
    experiment = add_experiment(tmp_path / "mlruns", 7, "seven")
    for number in range(300):
        add_run(experiment, run_id(number), params={"lr": "1"}, metrics={"m": ["1 0.5 0"]})

    def start(_: int) -> Imported | None:
        with opened(str(tmp_path / "mlruns")) as database:
            return follow_folder(database)

    with ThreadPoolExecutor(3) as pool:
        imported = [each for each in pool.map(start, range(3)) if each is not None]
    assert sorted((each.added.get("runs", 0), each.runs_known) for each in imported) == [(0, 300), (0, 300), (300, 0)]
    with opened(str(tmp_path / "mlruns")) as database:
        assert len(rows_of(database)["runs"]) == 300
