"""Backups at every destination, a folder and real object stores: taken, listed, verified, restored, removed."""

import json
import os
import secrets
import signal
import tracemalloc
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import insert

from tests.support.artifact_stores import GROUP, REMOTE, names_of, put, unfinished_in
from tests.support.children import run_in_child
from tests.support.databases import PostgreSql, opened
from tests.support.emulators import BUCKET, Emulator
from tracking_server.__main__ import main
from tracking_server.artifacts.bucket import Bucket
from tracking_server.artifacts.checked import CheckedStore
from tracking_server.artifacts.local import LocalStore
from tracking_server.artifacts.objects import ObjectStore, ObjectWriter
from tracking_server.artifacts.options import StoreOptions
from tracking_server.artifacts.store import ArtifactStore, StoreUnavailable
from tracking_server.backups.found import find_archives
from tracking_server.backups.places import (
    StorePlace,
    open_folder,
    parse_archive,
    parse_destination,
    restore_from,
    take,
    verify_at,
)
from tracking_server.database import schema
from tracking_server.database.archive.format import TableContent
from tracking_server.database.archive.keys import BackupKey, make_key
from tracking_server.database.archive.tables import checksum_of, read_schema
from tracking_server.database.identity import database_id, ensure_database_id
from tracking_server.database.transactions import Database
from tracking_server.errors import BackupFailed

NOW = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)
DAY = timedelta(days=1)
on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"])
_numbers = count()


def at(*names: str) -> pytest.MarkDecorator:
    """Which destinations a test runs with: what differs between them is looked at in tests of stores."""
    marked = [pytest.param(name, marks=GROUP) if name in REMOTE else pytest.param(name) for name in names]
    return pytest.mark.parametrize("destination", marked, indirect=True)


@pytest.fixture
def destination(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty folder, as the command line is told it; the environment has what its store needs."""
    if request.param == "folder":
        (tmp_path / "backups").mkdir()
        return str(tmp_path / "backups")
    emulator: Emulator = request.getfixturevalue(request.param)
    for name, value in emulator.environ.items():
        monkeypatch.setenv(name, value)
    return f"{emulator.uri}/backups/{uuid.uuid4().hex}"


@pytest.fixture
def key(tmp_path: Path) -> BackupKey:
    return make_key(tmp_path / "backup.key")


def reported(*words: object, database: Database | None = None, code: int = 0) -> Mapping[str, Any]:
    """The report of a command."""
    environ: dict[str, str] = {}
    if database is not None:
        environ["MLFLOW_BACKEND_STORE_URI"] = database.url.url.render_as_string(hide_password=False)
    result = CliRunner().invoke(main, [*map(str, words), "--json"], env=environ)
    assert result.exit_code == code, result.output
    report: Mapping[str, Any] = json.loads(result.stdout)
    return report


def store_at(destination: str) -> ArtifactStore:
    return open_folder(parse_destination(destination, Path(), StoreOptions.from_environ(os.environ))).store


def objects_at(destination: str) -> ObjectStore:
    store = store_at(destination)
    assert isinstance(store, CheckedStore)
    assert isinstance(store.inner, ObjectStore)
    return store.inner


def contents(database: Database) -> list[TableContent]:
    with database.snapshot() as connection:
        return [checksum_of(connection, table) for table in read_schema(connection).tables]


def _name(content: TableContent) -> str:
    return content.name


def taken(database: Database, destination: str, age: timedelta, key: BackupKey | None = None) -> str:
    """The name of an archive that was taken so long ago."""
    place = parse_destination(destination, Path(), StoreOptions.from_environ(os.environ))
    return take(database, place, now=datetime.now(UTC) - age, tool="a test", key=key)[0].name


# There and back


@pytest.mark.parametrize(
    ("engine_name", "destination", "name"),
    [
        pytest.param("sqlite", "folder", "", id="sqlite-folder"),
        pytest.param("postgresql", "s3", "", id="postgresql-s3", marks=GROUP),
        pytest.param("sqlite", "gcs", "/mine.zst", id="sqlite-gcs", marks=GROUP),
        pytest.param("postgresql", "azure", "/mine.zst", id="postgresql-azure", marks=GROUP),
    ],
    indirect=["destination"],
)
def test_a_backup_goes_there_and_comes_back(filled: Database, other: Database, destination: str, name: str) -> None:
    told = reported("backup", "--to", f"{destination}{name}", database=filled)
    assert told["path"].startswith(f"{destination}{name}" if name else f"{destination}/trackplane-")
    assert told["path"].endswith(".zst")
    assert names_of(store_at(destination), "") == [told["path"].rpartition("/")[2]]
    verified = reported("backup", "verify", told["path"])
    facts = ("path", "size_bytes", "sha256", "rows", "created_at", "encrypted")
    assert [verified[fact] for fact in facts] == [told[fact] for fact in facts]
    assert reported("restore", told["path"], database=other)["rows"] == told["rows"]
    assert contents(other) == contents(filled)


@on_sqlite
@at("s3")
def test_an_encrypted_one_goes_into_another_engine_with_its_key(
    filled: Database,
    destination: str,
    key: BackupKey,
    postgresql: PostgreSql,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Which reads it several times."""
    monkeypatch.setenv("TRACKPLANE_BACKUP_KEY_FILE", str(tmp_path / "backup.key"))
    told = reported("backup", "--to", f"{destination}/mine.zst.enc", database=filled)
    assert (told["path"], told["encrypted"], told["key_id"]) == (f"{destination}/mine.zst.enc", True, key.id)
    assert reported("backup", "verify", told["path"])["sha256"] == told["sha256"]
    with opened(postgresql.create_database(f"stored_{next(_numbers)}")) as target:
        reported("restore", told["path"], database=target)
        assert sorted(contents(target), key=_name) == sorted(contents(filled), key=_name)
    monkeypatch.delenv("TRACKPLANE_BACKUP_KEY_FILE")
    refused = reported("backup", "verify", told["path"], code=10)
    assert f"encrypted with the key {key.id}" in refused["message"]


@on_sqlite
@at("folder", "gcs")
def test_archives_are_listed_by_what_they_say(
    filled: Database, destination: str, key: BackupKey, tmp_path: Path
) -> None:
    plain = taken(filled, destination, 2 * DAY)
    encrypted = taken(filled, destination, DAY, key)
    store = store_at(destination)
    put(store, "notes.txt", b"no archive")
    put(store, "trackplane-cut.zst", b"cut off")
    listed = {each["name"]: each for each in reported("backup", "list", destination)["archives"]}
    assert set(listed) == {plain, encrypted, "trackplane-cut.zst"}
    assert (listed[plain]["mlflow"], listed[plain]["encrypted"]) == ("dc11669786a5", False)
    assert listed[plain]["size_bytes"] == store.stat(plain).size_bytes
    assert listed[plain]["created_at"] < f"{datetime.now(UTC) - 1.5 * DAY:%Y-%m-%dT%H}"
    assert (listed[encrypted]["encrypted"], listed[encrypted]["key_id"]) == (True, key.id)
    assert "created_at" not in listed[encrypted]
    assert (
        "too short" in listed["trackplane-cut.zst"]["reason"]
        or "not an archive" in listed["trackplane-cut.zst"]["reason"]
    )
    words = ("backup", "list", destination, "--key-file", tmp_path / "backup.key")
    listed = {each["name"]: each for each in reported(*words)["archives"]}
    assert listed[encrypted]["dialect"] == "sqlite"
    shown = CliRunner().invoke(main, ["backup", "list", destination]).stdout.splitlines()
    assert [line.partition(":")[0] for line in shown] == sorted([plain, encrypted, "trackplane-cut.zst"])


@on_sqlite
@at(*REMOTE)
def test_many_parts_go_there_and_come_back(
    database: Database, other: Database, destination: str, key: BackupKey
) -> None:
    fill_with_noise(database, 6000)
    place = parse_destination(destination, Path(), StoreOptions.from_environ(os.environ))
    target, written = take(database, place, now=NOW, tool="a test", key=key)
    assert written.size_bytes > 2 * store_at(destination).writer_bytes
    assert verify_at(target, [key]) == written
    restore_from(other, target, replace=False, keys=[key])
    assert contents(other) == contents(database)


@on_sqlite
def test_a_store_does_not_take_the_whole_archive_into_memory(
    database: Database, key: BackupKey, tmp_path: Path
) -> None:
    """What the SDKs of stores hold in memory is looked at in tests of stores."""
    fill_with_noise(database, 16_000)
    place = StorePlace(store=LocalStore(tmp_path / "backups"), folder="here")
    tracemalloc.start()
    try:
        target, written = take(database, place, now=NOW, tool="a test", key=key)
        assert verify_at(target, [key]) == written
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 28_000_000 < written.size_bytes


def fill_with_noise(database: Database, rows: int) -> None:
    """Each has more than 2,000 bytes, also when it is compressed."""
    with database.write() as connection:
        experiment = {"experiment_id": 7, "name": "noise", "lifecycle_stage": "active", "workspace": "default"}
        connection.execute(insert(schema.experiments).values(experiment))
        tags = [
            {"key": f"k{number}", "value": secrets.token_urlsafe(2200), "experiment_id": 7} for number in range(rows)
        ]
        connection.execute(insert(schema.experiment_tags), tags)


@on_sqlite
@at(*REMOTE)
def test_a_backup_that_fails_or_is_killed_leaves_no_archive(database: Database, destination: str) -> None:
    fill_with_noise(database, 4000)
    objects = objects_at(destination)

    def take_and(end: Callable[[], None]) -> None:
        place = StorePlace(store=CutStore(objects, end), folder=destination)
        take(database, place, now=NOW, tool="a test")

    with pytest.raises(BackupFailed, match=f"{destination}/trackplane-.*cannot be written: cut off"):
        take_and(fail)
    assert (names_of(objects, ""), unfinished_in(objects)) == ([], [])
    database.dispose()
    objects.close()  # a child has connections of its own
    assert run_in_child(lambda: take_and(kill_myself)) == -signal.SIGKILL
    assert names_of(objects, "") == []


def fail() -> None:
    raise StoreUnavailable("cut off")


def kill_myself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class CutStore(ObjectStore):
    """Its uploads come to an `end` when the first part has arrived."""

    def __init__(self, inner: ObjectStore, end: Callable[[], None]) -> None:
        super().__init__(inner.bucket, inner.name_of(""))
        self._end = end

    def create(self, key: str) -> ObjectWriter:
        return CutWriter(self.bucket, self.name_of(key), self._end)


class CutWriter(ObjectWriter):
    def __init__(self, bucket: Bucket, name: str, end: Callable[[], None]) -> None:
        super().__init__(bucket, name)
        self._end = end

    def write(self, chunk: bytes) -> None:
        super().write(chunk)
        if self._number:
            self._end()


@on_sqlite
@at(*REMOTE)
def test_a_store_that_refuses_is_told(filled: Database, destination: str) -> None:
    absent = destination.replace(BUCKET, "not-there")
    refused = reported("backup", "--to", absent, database=filled, code=15)
    assert "cannot be written" in refused["message"]
    assert reported("backup", "verify", f"{destination}/absent.zst", code=15)["message"].endswith("it is not there.")
    refused = reported("restore", f"{destination}/absent.zst", "--replace", database=filled, code=16)
    assert "absent.zst: it is not there. The database is as it was." in refused["message"]
    assert "cannot be listed" in reported("backup", "list", absent, code=10)["message"]


def test_what_is_no_destination_is_refused() -> None:
    for words in (("verify", "s3://bucket"), ("list", "ftp://host/folder"), ("list", "/no/such/folder")):
        assert reported("backup", *words, code=10)["reason"] == "ConfigInvalid"
    assert parse_archive("file:///backups/a.zst", Path()) == Path("/backups/a.zst")
    assert parse_archive("backups/a:b.zst", Path()) == Path("backups/a:b.zst")


# Retention


@pytest.mark.parametrize(
    ("engine_name", "destination"),
    [
        pytest.param("postgresql", "folder", id="postgresql-folder"),
        pytest.param("sqlite", "s3", id="sqlite-s3", marks=GROUP),
        pytest.param("sqlite", "azure", id="sqlite-azure", marks=GROUP),
    ],
    indirect=["destination"],
)
def test_old_archives_go_when_a_new_one_is_whole(filled: Database, destination: str) -> None:
    ensure_database_id(filled, now=1)
    old = [taken(filled, destination, days * DAY) for days in (40, 30, 2, 1)]
    told = reported("backup", "--to", destination, "--keep-last", 2, "--keep-for", "36h", database=filled)
    new = told["path"].rpartition("/")[2]
    assert told["verified"]
    assert sorted(told["removed"]) == sorted(old[:3])
    assert told["kept"] == [new, old[3]]
    assert names_of(store_at(destination), "") == sorted([new, old[3]])
    assert reported("backup", "verify", told["path"])["ok"]


@on_sqlite
@at("folder", "gcs")
def test_what_is_not_known_to_be_ours_stays(
    filled: Database, other: Database, destination: str, key: BackupKey, tmp_path: Path
) -> None:
    nameless = taken(filled, destination, 90 * DAY)
    own_id = ensure_database_id(filled, now=1)
    sealed = taken(filled, destination, 80 * DAY, key)
    old = taken(filled, destination, 70 * DAY)
    store = store_at(destination)
    place = parse_destination(destination, Path(), StoreOptions.from_environ(os.environ))
    restore_from(other, _archive_at(destination, old), replace=False, keys=())
    with other.write() as connection:
        connection.execute(schema.trackplane_gc_claims.delete())
    assert ensure_database_id(other, now=1) != own_id
    foreign = taken(other, destination, 100 * DAY)
    put(store, "trackplane-cut.zst", b"cut off")
    words = ("backup", "--to", destination, "--keep-last", 1)
    told = reported(*words, database=filled)
    new = told["path"].rpartition("/")[2]
    assert (told["removed"], told["kept"]) == ([old], [new])
    assert sorted(told["others"]) == sorted([nameless, sealed, foreign, "trackplane-cut.zst"])
    assert names_of(store, "") == sorted([nameless, sealed, foreign, new, "trackplane-cut.zst"])
    with_key = reported(
        "backup", "prune", destination, "--keep-last", 1, "--key-file", tmp_path / "backup.key", database=filled
    )
    assert with_key["removed"] == [sealed]
    assert {each.name for each in find_archives(open_folder(place))} == {nameless, foreign, new, "trackplane-cut.zst"}


def _archive_at(destination: str, name: str) -> Any:
    return parse_archive(f"{destination}/{name}", Path(), StoreOptions.from_environ(os.environ))


@on_sqlite
@at("folder")
def test_a_dry_run_tells_and_removes_nothing(filled: Database, destination: str) -> None:
    ensure_database_id(filled, now=1)
    names = [taken(filled, destination, days * DAY) for days in (3, 2, 1)]
    words = ("backup", "prune", destination, "--keep-for", "1h")
    told = reported(*words, "--dry-run", database=filled)
    assert (told["dry_run"], sorted(told["removed"]), told["kept"]) == (True, sorted(names[:2]), [names[2]])
    assert names_of(store_at(destination), "") == sorted(names)
    assert reported(*words, database=filled)["removed"] == told["removed"]
    assert names_of(store_at(destination), "") == [names[2]]
    assert reported(*words, database=filled)["removed"] == []


@on_sqlite
@at("folder", "azure")
def test_gc_keeps_what_an_encrypted_backup_in_a_store_has(
    filled: Database, destination: str, key: BackupKey, tmp_path: Path
) -> None:
    taken(filled, destination, DAY, key)
    (tmp_path / "artifacts").mkdir()
    words = ("gc", "--dry-run", "--keep-backed-up", destination, "--artifacts-destination", tmp_path / "artifacts")
    without = reported(*words, database=filled)
    with_key = reported(*words, "--backup-key-file", tmp_path / "backup.key", database=filled)
    assert (without["runs"], with_key["kept"]) == (0, 0)
    assert without["kept"] >= with_key["runs"] > 0  # which were deleted long before it was taken


def test_a_database_has_one_id(database: Database) -> None:
    assert database_id(database) is None
    first = ensure_database_id(database, now=1)
    assert (ensure_database_id(database, now=2), database_id(database)) == (first, first)


@on_sqlite
def test_retention_needs_an_id_a_folder_and_a_limit(filled: Database, tmp_path: Path) -> None:
    assert "no id" in reported("backup", "prune", tmp_path, "--keep-last", 1, database=filled, code=10)["message"]
    words = ("backup", "--to", tmp_path / "one.zst", "--keep-last", 1)
    assert "need a folder" in reported(*words, database=filled, code=10)["message"]
    assert not (tmp_path / "one.zst").exists()
    result = CliRunner().invoke(main, ["backup", "prune", str(tmp_path), "--backend-store-uri", "sqlite://"])
    assert result.exit_code == 2
    with filled.write() as connection:
        connection.execute(schema.experiments.delete().where(schema.experiments.c.experiment_id == -1))
        schema.trackplane_gc_claims.drop(connection)
    words = ("backup", "--to", tmp_path, "--keep-last", 1)
    assert "db upgrade" in reported(*words, database=filled, code=10)["message"]
    absent = CliRunner().invoke(
        main,
        ["backup", "--to", str(tmp_path), "--keep-last", "1", "--backend-store-uri", f"sqlite:///{tmp_path}/no.db"],
    )
    assert (absent.exit_code, (tmp_path / "no.db").exists()) == (10, False)
