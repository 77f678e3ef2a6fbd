"""`trackplane gc` as a process over a bucket, killed at random, while clients restore what it removes.

`make kill-steps` does so many times; other runs of the tests once. Whenever the kill comes, the outcome is the same.
"""

import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select

from tests.support.api_calls import Refusal, an_api
from tests.support.artifact_stores import GROUP
from tests.support.collected import World
from tests.support.emulators import BUCKET, Emulator
from tests.support.kill_steps import STRIDE
from tracking_server.database import schema
from tracking_server.database.transactions import Database

ROUNDS: Final = 25 if STRIDE else 1
SECONDS: Final = 120

pytestmark = [GROUP, pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])]


@pytest.fixture
def prefix() -> str:
    return f"gc-{uuid.uuid4().hex}"


@pytest.fixture
def world(database: Database, s3: Emulator, prefix: str) -> World:
    """Its folder is that of the bucket on this machine."""
    return World(api=an_api(database), database=database, folder=s3.folder / BUCKET / prefix)


@pytest.fixture
def command(database_url: str, s3: Emulator, prefix: str) -> list[str]:
    return [
        *(sys.executable, "-m", "tracking_server", "gc"),
        *("--backend-store-uri", database_url, "--artifacts-destination", f"{s3.uri}/{prefix}"),
    ]


def test_a_kill_at_random_while_clients_restore(world: World, command: Sequence[str], s3: Emulator) -> None:
    moments = random.Random(STRIDE)
    environ = {**os.environ, **s3.environ}
    experiment_id = world.experiment("stays")
    stays = [world.run(experiment_id) for _ in range(2)]
    something_deleted(world, "first")
    began = time.monotonic()
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False)
    usual = time.monotonic() - began
    assert ended.returncode == 0, ended.stderr
    assert run_ids(world) == set(stays)

    for number in range(ROUNDS):
        run_and_experiment_ids = something_deleted(world, f"e{number}")
        process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        restorer = threading.Thread(target=restore, args=(world, *run_and_experiment_ids))
        restorer.start()
        try:
            process.wait(usual * moments.uniform(0.2, 1.1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        restorer.join()
        assert_whole(world)

    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert_whole(world)
    assert set(stays) <= run_ids(world) == {Path(file).parts[1] for file in world.files()}
    with world.database.read() as connection:
        assert set(connection.scalars(select(schema.runs.c.lifecycle_stage))) == {"active"}
        assert connection.execute(select(schema.trackplane_gc_claims)).all() == []


def something_deleted(world: World, name: str) -> tuple[list[str], list[str]]:
    """Runs, and an experiment with some."""
    experiment_id, other_id = world.experiment(name), world.experiment(f"{name} goes")
    runs = [world.run(experiment_id) for _ in range(12)]
    for _ in range(4):
        world.run(other_id)
    for run_id in runs:
        world.api.post("runs/delete", run_id=run_id)
    world.api.post("experiments/delete", experiment_id=other_id)
    return runs, [other_id]


def restore(world: World, runs: Sequence[str], experiments: Sequence[str]) -> None:
    calls = [("runs/restore", {"run_id": run_id}) for run_id in reversed(runs)]
    calls += [("experiments/restore", {"experiment_id": experiment_id}) for experiment_id in experiments]
    for path, fields in calls:
        try:
            world.api.post(path, **fields)
        except Refusal as refusal:
            assert refusal.http_status in {400, 404}, refusal.message  # noqa: PT017 - being restored is fine too


def run_ids(world: World) -> set[str]:
    with world.database.read() as connection:
        return set(connection.scalars(select(schema.runs.c.run_uuid)))


def assert_whole(world: World) -> None:
    """Each run that is there has all its rows; its files too, unless it is deleted and being removed."""
    runs, claims = schema.runs.c, schema.trackplane_gc_claims.c
    with world.database.read() as connection:
        found = connection.execute(select(runs.run_uuid, runs.lifecycle_stage, runs.experiment_id)).all()
        for table in (schema.params, schema.tags, schema.latest_metrics):
            owners = set(connection.scalars(select(table.c.run_uuid)))
            assert owners == {row.run_uuid for row in found}, table.name
        claimed = set(connection.scalars(select(claims.id).where(claims.kind == "run")))
    files = world.files()
    for run_id, stage, experiment_id in found:
        if stage == "active" or run_id not in claimed:
            own = {f"{experiment_id}/{run_id}/artifacts/{name}" for name in ("a.txt", "deep/er/b.txt")}
            assert own <= files, run_id
