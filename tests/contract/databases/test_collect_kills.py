"""A collection that dies between any two statements or calls of the store, and the next one, end as one that lives."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert

from tests.support.api_calls import an_api
from tests.support.collected import World
from tests.support.kill_steps import STRIDE
from tracking_server.artifacts.roots import Root
from tracking_server.artifacts.store import ArtifactStore, Deleted
from tracking_server.database import schema
from tracking_server.database.transactions import Database


class Killed(BaseException):
    """No code catches it, as none runs after a kill."""


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    world = World(api=an_api(database), database=database, folder=tmp_path / "artifacts")
    world.run(world.experiment("stays"))
    return world


def something_deleted(world: World, name: str) -> None:
    """An experiment with a run, a model and a trace, a run beside it, and a job."""
    experiment_id = world.experiment(name)
    world.model(experiment_id, world.run(experiment_id))
    world.trace(experiment_id, f"tr-{name}")
    world.api.post("experiments/delete", experiment_id=experiment_id)
    world.api.post("runs/delete", run_id=world.run("1"))
    with world.database.write() as connection:
        row = {"id": f"job-{name}", "status": 2, "creation_time": 1, "last_update_time": 1}
        connection.execute(insert(schema.jobs).values(job_name="n", params="{}", retry_count=0, **row))


@contextmanager
def killed_before_statement(database: Database, number: int) -> Generator[None]:
    count = 0

    def die(*_: object) -> None:
        nonlocal count
        count += 1
        if count == number:
            raise Killed

    event.listen(database.engine, "before_cursor_execute", die)
    try:
        yield
    finally:
        event.remove(database.engine, "before_cursor_execute", die)


def test_a_kill_before_any_statement(world: World) -> None:
    """Any, for `make kill-steps`; else some."""
    before, files = world.rows(), world.files()
    number, was_killed = 0, True
    while was_killed:
        number += STRIDE or 5
        something_deleted(world, f"e{number}")
        try:
            with killed_before_statement(world.database, number):
                world.collect(jobs=True)
            was_killed = False
        except Killed:
            assert world.collect(jobs=True).leftovers == []
        assert (world.rows(), world.files()) == (before, files), f"killed before statement {number}"
    assert number > 40


class Dying:
    """A store that dies before or after the deletion of that number."""

    def __init__(self, store: ArtifactStore, number: int, *, after: bool) -> None:
        self._store = store
        self._number = number
        self._after = after
        self._count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def delete_prefix(self, key: str) -> Deleted:
        self._count += 1
        dies = self._count == self._number
        if dies and not self._after:
            raise Killed
        deleted = self._store.delete_prefix(key)
        if dies:
            raise Killed
        return deleted


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_kill_around_any_deletion_in_the_store(world: World, after: bool) -> None:
    before, files = world.rows(), world.files()
    number, was_killed = 0, True
    while was_killed:
        number += 1
        something_deleted(world, f"e{number}")
        store: Any = Dying(world.roots[0].store, number, after=after)
        try:
            world.collect(jobs=True, roots=[Root(location=root.location, store=store) for root in world.roots])
            was_killed = False
        except Killed:
            assert world.collect(jobs=True).leftovers == []
        assert (world.rows(), world.files()) == (before, files), f"killed at deletion {number}"
    assert number == 5  # two runs, a model, a trace
