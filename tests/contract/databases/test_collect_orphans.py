"""`gc --orphans`: artifacts that no row owns, and all that keeps it from taking others."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, update

from tests.support.api_calls import an_api
from tests.support.collected import LATER, World
from tests.support.memory_bucket import MemoryBucket
from tests.support.sent_statements import statements_of
from tracking_server.__main__ import main
from tracking_server.artifacts.memory import MemoryStore
from tracking_server.artifacts.objects import ObjectStore
from tracking_server.artifacts.store import ArtifactStore, Deleted, Leftover, Listing, StoreUnavailable
from tracking_server.collect.orphans import Limits, Sweep, delete_orphans, find_orphans
from tracking_server.collect.ownership import MARKER, adopt
from tracking_server.database import schema
from tracking_server.database.transactions import Database
from tracking_server.errors import ConfigInvalid

ALL = Limits(written_before=LATER, max_share=1.0)
LOST = "0123456789abcdef0123456789abcdef"
ORPHANS = {
    f"7/{LOST}": "artifacts/a.txt",
    f"7/models/m-{LOST}": "artifacts/MLmodel",
    f"7/traces/tr-{LOST}": "artifacts/traces.json",
}


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """With a run, a model and a trace that have rows, and artifacts of each kind that have none."""
    world = World(api=an_api(database), database=database, folder=tmp_path / "artifacts")
    experiment_id = world.experiment("e")
    world.trace(experiment_id, f"tr-{'1' * 32}")
    world.model(experiment_id, world.run(experiment_id))
    world.put(*(f"{folder}/{file}" for folder, file in ORPHANS.items()))
    return world


on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"])
"""For what asks the database nothing that another test does not ask on all engines."""


def store_of(world: World) -> ArtifactStore:
    return world.roots[0].store


def swept(world: World, limits: Limits = ALL, store: ArtifactStore | None = None) -> Sweep:
    adopt(world.database, store_of(world), "root", now=1)
    return delete_orphans(world.database, store or store_of(world), "root", limits)


def swept_alone(world: World, store: ArtifactStore) -> Sweep:
    """Of a store that is not the world's."""
    adopt(world.database, store, "root", now=1)
    return delete_orphans(world.database, store, "root", ALL)


def test_only_what_no_row_owns_goes(world: World) -> None:
    before, files = world.rows(), world.files()
    found = find_orphans(world.database, store_of(world), ALL)
    assert {orphan.path for orphan in found.shown} == ORPHANS.keys()
    assert (found.owned, found.orphans, found.young, found.others) == (3, 3, 0, 0)
    assert (found.files, found.size_bytes, found.deleted) == (3, 15, 0)
    assert (world.rows(), world.files()) == (before, files)
    sweep = swept(world)
    assert (sweep.deleted, sweep.deleted_files, sweep.deleted_bytes, sweep.leftovers) == (3, 3, 15, [])
    assert world.files() == files.difference(f"{folder}/{file}" for folder, file in ORPHANS.items()) | {MARKER}
    assert swept(world).orphans == 0
    assert world.collect().runs == 0
    assert swept(world).owned == 3


@pytest.mark.parametrize("stage", ["active", "deleted"])
@pytest.mark.parametrize("table", ["run", "model"])
def test_what_keeps_its_artifacts_in_a_folder_of_another_name_owns_it(world: World, table: str, stage: str) -> None:
    with world.database.write() as connection:
        location = f"mlflow-artifacts:/7/{LOST}/artifacts"
        statement = (
            update(schema.runs).values(artifact_uri=location, lifecycle_stage=stage)
            if table == "run"
            else update(schema.logged_models).values(artifact_location=location, lifecycle_stage=stage)
        )
        connection.execute(statement)
    sweep = swept(world)
    assert (sweep.owned, sweep.deleted) == (4, 2)
    assert f"7/{LOST}/artifacts/a.txt" in world.files()


@on_sqlite
@pytest.mark.parametrize("points", ["source", "storage_location", "run_id"])
def test_what_a_model_version_points_to_is_owned(world: World, points: str) -> None:
    world.version(**{points: LOST if points == "run_id" else f"mlflow-artifacts:/7/{LOST}/artifacts/model"})
    assert swept(world).deleted == 2
    assert f"7/{LOST}/artifacts/a.txt" in world.files()


@on_sqlite
def test_what_is_none_of_our_layout_is_never_touched(world: World) -> None:
    strange = {"notes.txt", "e/notes.txt", "7/notes.txt", "7/a-folder/a", "7/models/notes.txt", f"8/{LOST}"}
    strange |= {f"{LOST}/artifacts/a", f"7/models/{LOST}/a", f"7/{LOST}x/a"}
    world.put(*strange)
    sweep = swept(world)
    assert (sweep.deleted, sweep.others) == (3, len(strange))
    assert strange <= world.files()


@on_sqlite
def test_what_is_young_stays(world: World) -> None:
    for path in (world.folder / "7").rglob("*.*"):
        os.utime(path, (1000, 1000))
    os.utime(world.folder / f"7/{LOST}/artifacts/a.txt", (2000, 2000))
    sweep = swept(world, Limits(written_before=1500, max_share=1.0))
    assert (sweep.deleted, sweep.young) == (1, 2)  # MLmodel has no dot in its name
    assert f"7/{LOST}/artifacts/a.txt" in world.files()


def test_a_database_without_runs_takes_nothing(world: World) -> None:
    adopt(world.database, store_of(world), "root", now=1)
    world.api.post("experiments/delete", experiment_id="1")
    world.collect()
    with world.database.read() as connection:
        assert connection.execute(schema.runs.select()).first() is None
    files = world.files()
    with pytest.raises(ConfigInvalid, match="no run at all"):
        swept(world)
    assert world.files() == files


def test_more_than_the_share_is_refused(world: World) -> None:
    files = world.files() | {MARKER}
    with pytest.raises(
        ConfigInvalid, match=r"Of 6 folders in root, 3 have no owner: 50\.0%, and --max-share is 49\.0%"
    ):
        swept(world, Limits(written_before=LATER, max_share=0.49))
    with pytest.raises(ConfigInvalid, match=r"50\.0%"):  # all of them are too young: that is what a restore makes
        swept(world, Limits(written_before=0, max_share=0.49))
    assert world.files() == files


def test_a_root_of_another_database_or_of_nobody_is_refused(world: World) -> None:
    files = world.files()
    with pytest.raises(ConfigInvalid, match="--adopt-root"):
        delete_orphans(world.database, store_of(world), "root", ALL)
    (world.folder / MARKER).write_text('{"database": "another"}')
    with pytest.raises(ConfigInvalid, match="belong to the database another"):
        swept(world)
    with pytest.raises(ConfigInvalid, match="belong to the database another"):
        delete_orphans(world.database, store_of(world), "root", ALL)
    (world.folder / MARKER).write_text("garbage")
    with pytest.raises(ConfigInvalid, match="not a marker"):
        swept(world)
    assert world.files() == files | {MARKER}
    (world.folder / MARKER).unlink()
    assert swept(world).deleted == 3


class Wrapped:
    """A store that lists a few names a page, and calls something before it deletes."""

    def __init__(self, store: ArtifactStore, *, fails: str = "") -> None:
        self._store = store
        self._fails = fails
        self.longest_page = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def list(self, folder: str, *, after: str = "", limit: int = 1000) -> Listing:
        page = self._store.list(folder, after=after, limit=min(limit, 2))
        self.longest_page = max(self.longest_page, len(page.entries))
        return page

    def delete_prefix(self, key: str) -> Deleted:
        if "models" in key and self._fails == "raises":
            raise StoreUnavailable("The store does not answer.")
        if "models" in key and self._fails == "leaves":
            return Deleted(leftovers=[Leftover(key=f"{key}/a.txt", reason="Permission denied")])
        return self._store.delete_prefix(key)


@on_sqlite
@pytest.mark.parametrize("fails", ["raises", "leaves"])
def test_what_the_store_refuses_to_delete_stops_nothing_else(world: World, fails: str) -> None:
    store: Any = Wrapped(store_of(world), fails=fails)
    sweep = swept(world, store=store)
    assert (sweep.deleted, [item.id for item in sweep.leftovers]) == (2, [f"7/models/m-{LOST}"])
    assert store.longest_page == 2
    assert swept(world).deleted == 1


@on_sqlite
def test_a_folder_whose_row_comes_meanwhile_is_owned(world: World) -> None:
    class Restoring(Wrapped):
        """The row comes as the folder is looked into for the second time: to delete it."""

        times = 0

        def list(self, folder: str, *, after: str = "", limit: int = 1000) -> Listing:
            self.times += folder == f"7/{LOST}"
            if self.times == 2:
                with world.database.write() as connection:
                    connection.execute(update(schema.runs).values(run_uuid=LOST, name="restored"))
            return super().list(folder, after=after, limit=limit)

    with world.database.write() as connection:
        for table in (schema.metrics, schema.latest_metrics, schema.params, schema.tags):
            connection.execute(delete(table))
        connection.execute(delete(schema.logged_model_metrics))
    sweep = swept(world, store=cast(ArtifactStore, Restoring(store_of(world))))
    assert (sweep.orphans, sweep.deleted) == (3, 2)
    assert f"7/{LOST}/artifacts/a.txt" in world.files()


@on_sqlite
def test_ages_and_sizes_come_from_the_listing(world: World) -> None:
    class Unasked(Wrapped):
        def stat(self, key: str) -> Any:
            raise AssertionError(key)

    found = find_orphans(world.database, cast(ArtifactStore, Unasked(store_of(world))), ALL)
    assert (found.orphans, found.files, found.size_bytes) == (3, 3, 15)


@on_sqlite
@pytest.mark.parametrize("store", [MemoryStore(), ObjectStore(MemoryBucket(), "root")], ids=["memory", "bucket"])
def test_many_folders_are_looked_at_a_page_at_a_time(world: World, store: ArtifactStore) -> None:
    for number in range(450):
        with store.create(f"{number % 3}/{1000 + number:032x}/artifacts/a") as writer:
            writer.write(b"a")
            writer.commit()
    with statements_of(world.database) as seen:
        found = find_orphans(world.database, store, ALL)
    assert found.orphans == 450
    assert len([word for word in seen if word == "SELECT"]) == 2 + 3  # what is named elsewhere, and one a page


# The command


def run_gc(url: str, folder: Path, *arguments: str) -> tuple[int, Mapping[str, Any]]:
    variables = {"MLFLOW_BACKEND_STORE_URI": url, "MLFLOW_ARTIFACTS_DESTINATION": str(folder)}
    result = CliRunner().invoke(main, ["gc", "--json", "--orphans", *arguments], env=variables)
    return result.exit_code, json.loads(result.stdout)


@on_sqlite
def test_the_command_only_tells_until_it_is_told_to_delete(world: World, database_url: str) -> None:
    files = world.files()
    code, report = run_gc(database_url, world.folder)
    assert (code, report["dry_run"], report["orphans"], report["young"]) == (0, True, 0, 3)
    code, report = run_gc(database_url, world.folder, "--min-age", "0s")
    assert (code, report["dry_run"], report["orphans"], report["deleted"]) == (0, True, 3, 0)
    assert {item["path"] for item in report["orphan_items"]} == ORPHANS.keys()
    for arguments in (["--delete"], ["--delete", "--adopt-root"]):
        code, report = run_gc(database_url, world.folder, *arguments, "--min-age", "0s")
        assert (code, report["reason"]) == (10, "ConfigInvalid")
    assert "--max-share is 10.0%" in report["message"]
    code, report = run_gc(database_url, world.folder, "--delete", "--dry-run", "--min-age", "0s")
    assert (code, report["dry_run"], report["deleted"]) == (0, True, 0)
    assert world.files() == files | {MARKER}
    code, report = run_gc(database_url, world.folder, "--delete", "--min-age", "0s", "--max-share", "50%")
    assert (code, report["dry_run"], report["deleted"], report["artifacts_files"]) == (0, False, 3, 3)


@on_sqlite
@pytest.mark.parametrize("arguments", [["--orphans", "--run-ids", "a"], ["--orphans", "--jobs"], ["--delete"]])
def test_the_command_refuses_what_does_not_go_together(database_url: str, arguments: list[str]) -> None:
    result = CliRunner().invoke(main, ["gc", *arguments], env={"MLFLOW_BACKEND_STORE_URI": database_url})
    assert (result.exit_code, "Usage:" in result.stderr) == (2, True)
