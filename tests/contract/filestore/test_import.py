"""Folders into databases of each engine: what goes in, what stays out and is named, what happens the second time."""

import os
from pathlib import Path

import pytest
from sqlalchemy import event, select, update

from tests.support.children import die, run_in_child
from tests.support.databases import opened
from tests.support.file_stores import (
    SINCE,
    add_experiment,
    add_run,
    bring,
    golden_as_sql_has_it,
    number_of,
    rows_of,
    run_id,
    unpack_golden,
    write_text,
    write_yaml,
)
from tests.support.sent_statements import statements_of
from tracking_server.database import schema
from tracking_server.database.transactions import Database
from tracking_server.filestore.addresses import parse_rewrite
from tracking_server.filestore.backend import follow_folder
from tracking_server.filestore.exporting import ExportOptions, export_folder

GOLDEN_ADDED = {
    "experiments": 4,
    "experiment_tags": 3,
    "runs": 10,
    "params": 9,
    "tags": 19,
    "metrics": 82,
    "datasets": 2,
    "inputs_and_outputs": 3,
    "input_tags": 3,
    "registered_models": 3,
    "registered_model_tags": 1,
    "registered_model_aliases": 3,
    "model_versions": 5,
    "model_version_tags": 5,
}
LONG_ID = 340689330227026888


def test_the_golden_folder_comes_in_once_on_each_engine(database: Database, tmp_path: Path) -> None:
    folder = unpack_golden(tmp_path)
    assert bring(database, folder, is_dry=True).added == GOLDEN_ADDED
    assert number_of(database, "runs") == 0

    first = bring(database, folder)
    before = rows_of(database)
    second = bring(database, folder)

    assert first.added == GOLDEN_ADDED
    assert first.faults.kept == []
    assert (second.added, second.runs_known, second.runs_differing) == ({}, 10, 0)
    assert rows_of(database) == before
    with database.read() as connection:
        latest = connection.execute(select(schema.latest_metrics)).all()
        names = connection.scalars(select(schema.experiments.c.name)).all()
    expected = {
        (run["run_id"], key): value
        for run in golden_as_sql_has_it()["runs"]
        for key, value in run["latest_metrics"].items()
    }
    assert {(row.run_uuid, row.key): "NaN" if row.is_nan else row.value for row in latest} == expected
    assert sorted(names) == ["Default", "golden-deleted", "golden-renamed", "golden/iris"]


def test_ids_of_18_digits_stay_on_sqlite_and_are_new_elsewhere(database: Database, root: Path) -> None:
    add_run(add_experiment(root, LONG_ID, "long"), run_id(1))
    first, second = bring(database, root), bring(database, root)
    with database.read() as connection:
        found = connection.scalar(select(schema.experiments.c.experiment_id).where(schema.experiments.c.name == "long"))
        assert connection.scalar(select(schema.runs.c.experiment_id)) == found
    assert second.added == {}
    if database.dialect == "sqlite":
        assert (found, first.experiments) == (LONG_ID, {})
    else:
        assert first.experiments == second.experiments == {str(LONG_ID): str(found)}


def test_an_experiment_that_is_made_afterwards_gets_an_id_of_its_own(database: Database, root: Path) -> None:
    bring(database, root)
    with database.write() as connection:
        connection.execute(schema.experiments.insert().values(name="later", workspace="default"))
        ids = connection.scalars(select(schema.experiments.c.experiment_id)).all()
    assert sorted(ids) == [7, 8]


def test_what_an_engine_cannot_hold_is_cut_off_or_left_out_and_named(database: Database, root: Path) -> None:
    add_run(
        root / "7",
        run_id(1),
        params={"lr": "1", "LR": "2", "long": "x" * 9000},
        tags={"nul": "a\0b"},
        metrics={"k": ["1 0.5 0"]},
    )
    add_run(root / "7", run_id(2), artifact_uri="s3://" + "x" * 300)
    imported = bring(database, root)
    told = {fault["path"].removeprefix("7/"): fault["why"] for fault in imported.faults.kept}
    expected = {
        "sqlite": set[str](),
        "postgresql": {f"{run_id(1)}/params/long", f"{run_id(1)}/tags/nul", f"{run_id(2)}"},
        "mysql": {f"{run_id(1)}/params/long", f"{run_id(1)}/params/lr", f"{run_id(2)}"},
    }[database.dialect]
    assert set(told) == expected
    assert number_of(database, "params") == (2 if database.dialect == "mysql" else 3)
    assert number_of(database, "runs") == (2 if database.dialect == "sqlite" else 1)
    assert bring(database, root).added == {}


def test_an_export_that_is_imported_has_equal_rows(database: Database, tmp_path: Path) -> None:
    folder = unpack_golden(tmp_path)
    bring(database, folder)
    exported = export_folder(database, tmp_path / "exported", ExportOptions())
    assert exported.faults.kept == []
    with opened(f"sqlite:///{tmp_path / 'again.db'}") as again, opened(f"sqlite:///{tmp_path / 'first.db'}") as first:
        bring(again, tmp_path / "exported")
        bring(first, folder)
        if database.dialect == "sqlite":
            assert rows_of(again) == rows_of(first) == rows_of(database)
        else:  # experiments have other ids there
            assert rows_of(again)["metrics"] == rows_of(first)["metrics"] == rows_of(database)["metrics"]
            assert rows_of(again)["model_versions"] == rows_of(first)["model_versions"]


# From here on, what does not depend on the engine


def test_an_empty_database_is_built(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'new.db'}") as database:
        assert bring(database, unpack_golden(tmp_path)).added == GOLDEN_ADDED


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "half-written", id="an empty meta.yaml"),
        pytest.param(b"a: [1", "not YAML", id="a cut meta.yaml"),
        pytest.param(b"!!python/object:os.x {}", "not YAML", id="an object of Python"),
        pytest.param(b"\xff\xfe", "UTF-8", id="no text"),
        pytest.param(b"- a", "no mapping", id="a list"),
        pytest.param(None, "not there", id="no meta.yaml"),
        pytest.param(b"experiment_id: '8'", "experiment 7", id="a stray run"),
        pytest.param(b"status: 77", "status is 77", id="an unknown status"),
        pytest.param(b"run_id: ../../x", "not the name", id="an id that is a path"),
        pytest.param(b"start_time: 99999999999999999999", "64 bits", id="an impossible time"),
    ],
)
def test_a_broken_run_is_named_and_the_others_come_in(
    sqlite: Database, root: Path, content: bytes | None, said: str
) -> None:
    add_run(root / "7", run_id(1))
    meta = add_run(root / "7", run_id(2)) / "meta.yaml"
    if content is None:
        meta.unlink()
    else:
        meta.write_bytes(content)
    imported = bring(sqlite, root)
    assert imported.added["runs"] == 1
    assert [fault["path"] for fault in imported.faults.kept] == [f"7/{run_id(2)}"]
    assert said in imported.faults.kept[0]["why"]


def test_broken_lines_of_a_metric_are_named_and_the_others_count(sqlite: Database, root: Path) -> None:
    lines = [
        "1 0.5 0",
        "",
        "2 x 1",
        "3 0.7",
        "4 0.8 3 data abc",
        "99999999999999999999 1 1",
        "a b c d",
        "5 " + "9" * 5000,
    ]
    folder = add_run(root / "7", run_id(1), metrics={"deep/er": lines})
    write_text(folder / "metrics" / "cut", "1 0.5 0\n2 0.")
    imported = bring(sqlite, root)
    assert imported.added["metrics"] == 4
    assert [fault["why"].partition(":")[0] for fault in imported.faults.kept if "deep/er" in fault["path"]] == [
        *("line 3", "line 6", "line 7", "line 8 is longer than 4096 bytes")
    ]
    assert [fault["why"] for fault in imported.faults.kept if "cut" in fault["path"]] == ["line 2: half-written"]
    with sqlite.read() as connection:
        latest = connection.execute(select(schema.latest_metrics).where(schema.latest_metrics.c.key == "deep/er")).one()
    assert (latest.step, latest.timestamp, latest.value) == (3, 4, 0.8)


def test_no_link_is_followed_and_no_pipe_opened(sqlite: Database, root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    folder = add_run(root / "7", run_id(1), params={"plain": "1"})
    (folder / "params" / "link").symlink_to(secret)
    os.mkfifo(folder / "params" / "pipe")
    outside = add_run(tmp_path / "outside", run_id(2))
    (root / "7" / run_id(2)).symlink_to(outside)
    imported = bring(sqlite, root)
    assert [(fault["path"], fault["why"]) for fault in imported.faults.kept] == [
        (f"7/{run_id(2)}", "a symbolic link, which is not followed"),
        (f"7/{run_id(1)}/params/link", "a symbolic link, which is not followed"),
        (f"7/{run_id(1)}/params/pipe", "neither a file nor a folder"),
    ]
    assert (number_of(sqlite, "runs"), number_of(sqlite, "params")) == (1, 1)


def test_artifacts_have_another_address(sqlite: Database, root: Path) -> None:
    add_run(root / "7", run_id(1))
    add_run(root / "7", run_id(2), artifact_uri="file:///elsewhere/mlruns-2/x")
    bring(sqlite, root, rewrites=[parse_rewrite("file:///elsewhere/mlruns=s3://bucket/runs")])
    with sqlite.read() as connection:
        assert connection.scalars(select(schema.experiments.c.artifact_location)).all() == ["s3://bucket/runs/7"]
        uris = connection.scalars(select(schema.runs.c.artifact_uri).order_by(schema.runs.c.artifact_uri)).all()
        assert uris == [
            "file:///elsewhere/mlruns-2/x",
            f"s3://bucket/runs/7/{run_id(1)}/artifacts",
        ]


def test_a_run_that_differs_is_reported_and_left(sqlite: Database, root: Path) -> None:
    folder = add_run(root / "7", run_id(1), params={"lr": "1"}, tags={"t": "old"}, metrics={"m": ["1 0.5 0"]})
    bring(sqlite, root)
    with sqlite.write() as connection:
        connection.execute(update(schema.tags).values(value="changed in the database"))
    write_text(folder / "params" / "more", "2")
    write_text(folder / "metrics" / "m", "1 0.5 0\n2 0.6 1\n")
    before = rows_of(sqlite)
    imported = bring(sqlite, root)
    assert imported.differs == [
        {"run_id": run_id(1), "path": f"7/{run_id(1)}", "what": ["tags/t", "params/more", "metrics/m"]}
    ]
    assert rows_of(sqlite) == before


def test_a_run_that_was_not_over_is_followed_until_it_is(sqlite: Database, root: Path) -> None:
    add_run(root / "7", run_id(1), params={"lr": "1"}, metrics={"m": ["1 0.5 0"]}, status=1, end_time=None)
    bring(sqlite, root)
    with sqlite.write() as connection:
        connection.execute(schema.tags.insert().values(key="ours", value="kept", run_uuid=run_id(1)))
    add_run(root / "7", run_id(1), params={"more": "2"}, metrics={"m": ["1 0.5 0", "2 0.6 1"]})
    imported = bring(sqlite, root)
    assert (imported.runs_followed, imported.added) == (1, {})
    with sqlite.read() as connection:
        run = connection.execute(select(schema.runs)).one()
        latest = connection.execute(select(schema.latest_metrics)).one()
        tags = connection.scalars(select(schema.tags.c.key)).all()
    assert (run.status, run.end_time) == ("FINISHED", SINCE + 1000)
    assert (latest.step, latest.value, number_of(sqlite, "metrics"), number_of(sqlite, "params")) == (1, 0.6, 2, 2)
    assert tags == ["ours"]
    assert bring(sqlite, root).runs_known == 1


@pytest.mark.parametrize("stage", ["active", "deleted"])
def test_names_and_ids_that_others_have_are_kept_by_them(sqlite: Database, root: Path, stage: str) -> None:
    add_run(root / "7", run_id(1))
    with sqlite.write() as connection:
        values = {"workspace": "default", "lifecycle_stage": stage, "creation_time": 1}
        connection.execute(schema.experiments.insert().values(experiment_id=7, name="other", **values))
        connection.execute(schema.experiments.insert().values(experiment_id=9, name="seven", **values))
    first, second = bring(sqlite, root), bring(sqlite, root)
    assert first.renamed == second.renamed == {"seven": "seven (7)"}
    assert first.experiments == second.experiments == {"7": "10"}
    assert second.added == {}


def test_another_registered_model_of_the_name_is_left_alone(sqlite: Database, root: Path) -> None:
    write_yaml(root / "models" / "m" / "meta.yaml", {"name": "m", "creation_timestamp": 5})
    write_yaml(root / "models" / "m" / "version-1" / "meta.yaml", {"name": "m", "version": 1, "source": "s"})
    with sqlite.write() as connection:
        connection.execute(schema.registered_models.insert().values(name="m", creation_time=6, workspace="default"))
    imported = bring(sqlite, root)
    assert number_of(sqlite, "model_versions") == 0
    assert [fault["path"] for fault in imported.faults.kept] == ["models/m"]


def test_logged_models_come_with_their_metrics_inputs_and_outputs(sqlite: Database, root: Path) -> None:
    model = "m-" + run_id(5)
    run = add_run(root / "7", run_id(1))
    write_yaml(run / "outputs" / model / "meta.yaml", {"step": 3})
    write_yaml(run / "inputs" / "x" / "meta.yaml", {"source_type": "MODEL", "source_id": model, "tags": {}})
    folder = root / "7" / "models" / model
    meta = {"artifact_location": "s3://b/m", "creation_timestamp": 1, "last_updated_timestamp": 2, "status": 2}
    write_yaml(folder / "meta.yaml", {"name": "logged", "model_id": model, "experiment_id": "7", **meta})
    write_text(folder / "params" / "p", "1")
    write_text(folder / "tags" / "t", "1")
    write_text(folder / "metrics" / "acc", f"1 0.5 0 {run_id(1)}\n2 0.6 1 {run_id(1)} data abc\n3 1 1 {run_id(9)}\n")
    imported = bring(sqlite, root)
    assert imported.added["logged_model_metrics"] == 2
    assert [fault["why"] for fault in imported.faults.kept] == [
        f"run {run_id(9)} is not there: its points were left out"
    ]
    with sqlite.read() as connection:
        edges = connection.execute(
            select(schema.inputs.c.source_type, schema.inputs.c.destination_id, schema.inputs.c.step)
        )
        assert sorted(map(tuple, edges)) == [("RUN_INPUT", model, 0), ("RUN_OUTPUT", model, 3)]
    assert bring(sqlite, root).added == {}

    export_folder(sqlite, root.parent / "exported", ExportOptions())
    with opened(f"sqlite:///{root.parent / 'again.db'}") as again:
        bring(again, root.parent / "exported")
        assert rows_of(again) == rows_of(sqlite)


def test_what_a_database_refuses_does_not_take_the_rest_of_its_batch_along(sqlite: Database, root: Path) -> None:
    for number in range(5):
        add_run(root / "7", run_id(number))
    with sqlite.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON runs WHEN new.run_uuid LIKE '%3'"
            " BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    imported = bring(sqlite, root)
    assert imported.added["runs"] == 4
    assert [fault["path"] for fault in imported.faults.kept] == [f"7/{run_id(3)}"]


def test_two_thousand_runs_are_a_few_statements_and_a_kill_loses_nothing(sqlite: Database, root: Path) -> None:
    experiment = root / "7"
    for number in range(2000):
        folder = experiment / run_id(number)
        write_text(folder / "meta.yaml", f"run_name: n\nexperiment_id: '7'\nstart_time: {number}\nstatus: 3\n")
        write_text(folder / "params" / "lr", "1")
        write_text(folder / "metrics" / "m", "1 0.5 0\n2 0.6 1\n")
    lines: list[str] = []

    def die_in_the_middle() -> None:
        def listen(_: object) -> None:
            lines.append("")
            if len(lines) == 8:
                die()

        event.listen(sqlite.engine, "commit", listen)
        bring(sqlite, root)

    assert run_in_child(die_in_the_middle) == -9
    sqlite.dispose()
    there = number_of(sqlite, "runs")
    assert 0 < there < 2000
    assert number_of(sqlite, "params") == there == number_of(sqlite, "latest_metrics")

    with statements_of(sqlite) as seen:
        imported = bring(sqlite, root)
    assert (imported.added["runs"], imported.runs_known) == (2000 - there, there)
    assert number_of(sqlite, "metrics") == 4000
    assert len(seen) < 20 * 10 + 20  # of 20 batches


def test_a_backend_reads_what_is_new_since_the_last_start(tmp_path: Path) -> None:
    root = tmp_path / "mlruns"
    add_run(add_experiment(root, 7, "seven"), run_id(1))
    with opened(str(root)) as database:
        first = follow_folder(database)
        os.utime(root / "7" / run_id(1) / "meta.yaml", (1, 1))
        write_text(root / "7" / run_id(1) / "params" / "late", "not seen: meta.yaml is as it was")
        add_run(root / "7", run_id(2))
        second = follow_folder(database)
    assert first is not None
    assert second is not None
    assert (first.added["runs"], second.added["runs"], second.runs_known, second.runs_differing) == (1, 1, 1, 0)
    assert sorted(path.name for path in root.iterdir()) == ["7"]
    assert (tmp_path / "mlruns.db").exists()


def test_a_folder_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    with opened(f"file://{tmp_path}/mlruns") as database:
        assert follow_folder(database) is None
    assert not (tmp_path / "mlruns").exists()
