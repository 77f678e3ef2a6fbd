"""Traces and assessments of a folder: into databases of each engine, and out again."""

import json
import os
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from tests.support.databases import opened
from tests.support.file_stores import add_old_trace, add_trace, bring, number_of, rows_of, write_yaml
from tracking_server.database import schema
from tracking_server.database.transactions import Database
from tracking_server.filestore.addresses import parse_rewrite
from tracking_server.filestore.backend import follow_folder
from tracking_server.filestore.exporting import ExportOptions, export_folder

LONG_AGO = (1, 1)
STARTED = 1_700_000_000_500
USAGE = {
    "mlflow.trace.tokenUsage": '{"input_tokens": 3, "total_tokens": 5}',
    "mlflow.trace.cost": '{"total_cost": 0.5}',
}
TABLES = ("trace_info", "trace_tags", "trace_request_metadata", "assessments")


@pytest.fixture
def folder(root: Path) -> Path:
    """With a trace of all kinds of assessments, and one of MLflow 2."""
    experiment = root / "7"
    add_trace(
        experiment,
        "tr-1",
        tags={
            "mlflow.traceName": "predict",
            "mlflow.artifactLocation": "file:///elsewhere/mlruns/7/traces/tr-1/artifacts",
            "deep/er": "ü",
        },
        metadata={"mlflow.trace.session": "s-1", "plain": "1", **USAGE},
        assessments={
            "a-1": {"metadata": {"mlflow.assessment.sourceRunId": "r" * 32}, "rationale": "it is so"},
            "a-2": {
                "assessment_name": "answer",
                "feedback": None,
                "expectation": {"serialized_value": {"serialization_format": "JSON_FORMAT", "value": '["ä", 1]'}},
            },
            "a-3": {"feedback": {"error": {"error_code": "E", "error_message": "no"}, "value": None}, "valid": False},
            "a-4": {"assessment_name": "i-1", "feedback": None, "issue": {"issue_name": "slow"}, "overrides": "a-3"},
        },
        client_request_id="c-1",
    )
    add_old_trace(experiment, execution_time_ms=None, status="TRACE_STATUS_UNSPECIFIED")
    return root


def test_traces_come_in_once_on_each_engine_and_go_out_again(database: Database, folder: Path, tmp_path: Path) -> None:
    first = bring(database, folder)
    rows = rows_of(database)
    second = bring(database, folder)

    assert first.faults.kept == []
    assert {noun: first.added[noun] for noun in ("traces", "trace_tags", "trace_metadata", "assessments")} == {
        "traces": 2,
        "trace_tags": 2,
        "trace_metadata": 2,
        "assessments": 4,
    }
    assert (second.added, second.traces_known, second.differing) == ({}, 2, {})
    assert rows_of(database) == rows
    with database.read() as connection:
        old, new = connection.execute(select(schema.trace_info).order_by(schema.trace_info.c.request_id)).all()
        judged = connection.execute(select(schema.assessments).order_by(schema.assessments.c.assessment_id)).all()
    assert (old.timestamp_ms, old.execution_time_ms, old.status) == (STARTED, None, "STATE_UNSPECIFIED")
    assert (new.timestamp_ms, new.execution_time_ms, new.status, new.client_request_id) == (STARTED, 7, "OK", "c-1")
    assert (new.trace_name, new.session_id, new.input_tokens, new.total_cost) == ("predict", "s-1", 3, 0.5)
    assert [(each.assessment_type, json.loads(each.value), each.valid) for each in judged] == [
        ("feedback", True, True),
        ("expectation", ["ä", 1], True),
        ("feedback", None, False),
        ("issue", {"issue_name": "slow"}, True),
    ]
    assert (judged[0].run_id, judged[0].created_timestamp - STARTED, judged[0].aggregate_value) == ("r" * 32, 500, 1.0)

    exported = export_folder(database, tmp_path / "exported", ExportOptions())
    assert exported.faults.kept == []
    assert (exported.written["traces"], exported.written["assessments"], exported.left_out) == (2, 4, {})
    with opened(f"sqlite:///{tmp_path / 'again.db'}") as again:
        bring(again, tmp_path / "exported")
        assert {name: rows_of(again)[name] for name in TABLES} == {name: rows[name] for name in TABLES}


def test_what_an_engine_cannot_hold_of_a_trace_is_named(database: Database, root: Path) -> None:
    long_value = {"feedback": {"value": "x" * 70_000}}
    add_trace(root / "7", "tr-1", assessments={"a-1": long_value}, request_preview="y" * 1001)
    add_trace(root / "7", "t" * 60)
    imported = bring(database, root)
    told = {fault["path"].removeprefix("7/traces/") for fault in imported.faults.kept}
    too_long = {"tr-1 (request_preview)", "t" * 60}
    assert (
        told
        == {
            "sqlite": set[str](),
            "postgresql": too_long,
            "mysql": {*too_long, "tr-1/assessments/a-1.yaml"},
        }[database.dialect]
    )
    assert number_of(database, "trace_info") == (2 if database.dialect == "sqlite" else 1)
    assert number_of(database, "assessments") == (0 if database.dialect == "mysql" else 1)


# From here on, what does not depend on the engine


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "not there: half-written", id="no info"),
        pytest.param("", "half-written", id="an empty info"),
        pytest.param("trace_id: tr-2\nstate: OK", "no request_time", id="a cut info"),
        pytest.param("trace_id: other\nstate: OK", "not the name", id="a stray trace"),
        pytest.param(
            "trace_id: tr-2\nrequest_time: '2023-11-14T22:13:20Z'\nstate: GREAT", "GREAT", id="a strange state"
        ),
        pytest.param("trace_id: tr-2\nrequest_time: yesterday\nstate: OK", "no time", id="a strange time"),
    ],
)
def test_a_broken_trace_is_named_and_the_others_come_in(
    sqlite: Database, root: Path, content: str | None, said: str
) -> None:
    add_trace(root / "7", "tr-1")
    file = root / "7" / "traces" / "tr-2" / "trace_info.yaml"
    file.parent.mkdir()
    if content is not None:
        file.write_text(content)
    imported = bring(sqlite, root)
    assert imported.added["traces"] == 1
    assert [fault["path"] for fault in imported.faults.kept] == ["7/traces/tr-2"]
    assert said in imported.faults.kept[0]["why"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"feedback": None}, "neither feedback", id="no value"),
        pytest.param({"feedback": {"value": float("nan")}}, "no form in JSON", id="no JSON"),
        pytest.param({"assessment_name": None}, "no assessment_name", id="no name"),
        pytest.param({"create_time": None}, "no create_time", id="no time"),
        pytest.param(
            {"feedback": None, "expectation": {"serialized_value": {"value": "{"}}}, "not JSON", id="cut JSON"
        ),
        pytest.param({"source": "me"}, "no mapping", id="a strange source"),
    ],
)
def test_a_broken_assessment_is_named_and_the_trace_comes_in(
    sqlite: Database, root: Path, fields: dict[str, object], said: str
) -> None:
    add_trace(root / "7", "tr-1", assessments={"a-1": {}, "a-2": fields})
    imported = bring(sqlite, root)
    assert (imported.added["traces"], imported.added["assessments"]) == (1, 1)
    assert [fault["path"] for fault in imported.faults.kept] == ["7/traces/tr-1/assessments/a-2.yaml"]
    assert said in imported.faults.kept[0]["why"]


def test_what_a_known_trace_has_more_is_added_and_what_differs_is_told(sqlite: Database, root: Path) -> None:
    add_trace(root / "7", "tr-1", tags={"t": "old"}, assessments={"a-1": {}})
    add_trace(root / "7", "tr-2", tags={"t": "old"}, state="IN_PROGRESS", execution_duration_ms=None)
    add_trace(root / "7", "tr-3")
    bring(sqlite, root)
    add_trace(
        root / "7",
        "tr-1",
        tags={"t": "new", "more": "1"},
        assessments={"a-1": {"last_update_time": "2024-01-01T00:00:00Z"}, "a-2": {}},
    )
    add_trace(root / "7", "tr-2", tags={"more": "1"})
    add_trace(root / "7", "tr-3", request_time="2024-01-01T00:00:00Z", tags={"not": "this"})
    told = bring(sqlite, root)
    assert told.added == {"trace_tags": 2, "assessments": 1}
    assert (told.traces_known, told.traces_followed) == (1, 1)
    assert told.differing == {"trace_tags": 1, "assessments": 1, "traces": 1}
    assert told.differs == [
        {"path": "7/traces/tr-3", "what": ["timestamp_ms"]},
        {"path": "7/traces/tr-1/tags", "what": ["t"]},
        {"path": "7/traces/tr-1/assessments", "what": ["a-1"]},
    ]
    with sqlite.read() as connection:
        traces = connection.execute(select(schema.trace_info.c.status, schema.trace_info.c.execution_time_ms)).all()
    assert set(map(tuple, traces)) == {("OK", 7)}

    replaced = bring(sqlite, root, replaces=True)
    assert (replaced.replaced, replaced.differing) == ({"trace_tags": 1, "assessments": 1}, {"traces": 1})
    assert bring(sqlite, root).differing == {"traces": 1}


def test_artifacts_of_a_trace_have_another_address(sqlite: Database, folder: Path) -> None:
    bring(sqlite, folder, rewrites=[parse_rewrite("file:///elsewhere/mlruns=s3://bucket/runs")])
    tags = schema.trace_tags.c
    with sqlite.read() as connection:
        uri = connection.scalar(select(tags.value).where(tags.key == "mlflow.artifactLocation"))
    assert uri == "s3://bucket/runs/7/traces/tr-1/artifacts"


def test_a_backend_reads_what_is_new_of_traces_since_the_last_start(root: Path) -> None:
    trace = add_trace(root / "7", "tr-1", tags={"t": "1"}, assessments={"a-1": {}})
    with opened(str(root)) as database:
        follow_folder(database)
        for path in (trace, *trace.rglob("*")):
            os.utime(path, LONG_AGO)
        with database.write() as connection:
            connection.execute(delete(schema.trace_tags))
            connection.execute(update(schema.assessments).values(value="2"))
        second = follow_folder(database)
        write_yaml(trace / "assessments" / "a-2.yaml", {"assessment_name": "n", "feedback": {"value": 1}, **times()})
        third = follow_folder(database)
        assert number_of(database, "trace_tags") == 0
    assert second is not None
    assert third is not None
    assert (second.added, second.traces_known, second.differing) == ({}, 1, {})
    assert (third.added, third.traces_known, third.differing) == ({"assessments": 1}, 1, {})


def times() -> dict[str, object]:
    return {"create_time": "2023-11-14T22:13:21Z", "last_update_time": "2023-11-14T22:13:22Z"}
