"""Backup, verify and restore on real engines: what goes in comes out, and nothing is ever half done."""

import math
import os
import random
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select, text

from tests.support.archived import contents, see_sessions_end
from tests.support.children import eventually, start_child, wait_for
from tests.support.databases import PostgreSql
from tests.support.golden import copy_golden, fill_with_golden
from tests.support.mariadb import MariaDb
from tracking_server.database import schema
from tracking_server.database.archive.backup import Archive, back_up, verify_archive
from tracking_server.database.archive.restore import restore
from tracking_server.database.check import Current, inspect_database
from tracking_server.database.lock import serving_lock, who_serves
from tracking_server.database.migrations.upgrade import create_schema
from tracking_server.database.transactions import Database, open_database
from tracking_server.errors import BackupFailed, RestoreFailed

NOW = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)

ODD_TEXTS = ["", " ", "line\nbreak", "tab\t", "\\N", "\\.", "'\"`", '{"a": [1,  2]}', "é漢字🙂", "x" * 3_000_000]


def take(database: Database, folder: Path) -> Archive:
    return back_up(database, folder, now=NOW, tool="a test")


def add_experiment(connection: Connection, name: str, **values: object) -> int:
    fields = {"name": name, "lifecycle_stage": "active", "workspace": "default"} | values
    statement = insert(schema.experiments).values(fields).returning(schema.experiments.c.experiment_id)
    return connection.execute(statement).scalar_one()


# What goes in comes out


def test_a_restored_database_equals_the_original(filled: Database, other: Database, tmp_path: Path) -> None:
    before = contents(filled)
    archive = take(filled, tmp_path)
    manifest = restore(other, archive.path, replace=False).manifest
    assert contents(other) == before == contents(filled)
    assert manifest == archive.manifest
    assert manifest.rows > 250
    with other.read() as connection:
        assert isinstance(inspect_database(connection), Current)


def test_a_database_of_mlflow_itself_comes_back_with_its_own_schema(tmp_path: Path) -> None:
    source = open_database(f"sqlite:///{copy_golden(tmp_path / 'golden.db')}")
    other = open_database(f"sqlite:///{tmp_path / 'other.db'}")
    archive = take(source, tmp_path)
    assert (archive.manifest.mlflow, archive.manifest.trackplane) == ("dc11669786a5", None)
    restore(other, archive.path, replace=False)
    assert contents(other) == contents(source)
    source.dispose()
    other.dispose()


def test_odd_values_come_back(database: Database, other: Database, tmp_path: Path) -> None:
    numbers = [0.1, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3, -1e-300]
    if database.dialect != "mysql":
        numbers += [math.inf, -math.inf]
    with database.write() as connection:
        experiment_id = add_experiment(connection, "odd", creation_time=2**63 - 1, last_update_time=-(2**63))
        connection.execute(insert(schema.runs).values(run_uuid="r", experiment_id=experiment_id))
        connection.execute(
            insert(schema.experiment_tags),
            [{"key": f"k{i}", "value": value, "experiment_id": experiment_id} for i, value in enumerate(ODD_TEXTS)],
        )
        connection.execute(
            insert(schema.metrics),
            [
                {"key": "m", "value": value, "timestamp": i, "step": -i, "run_uuid": "r", "is_nan": i % 2 == 0}
                for i, value in enumerate(numbers)
            ],
        )
        secret = {"secret_id": "s", "secret_name": "s", "encrypted_value": bytes(range(256)), "wrapped_dek": b""}
        columns = {column.name for column in schema.secrets.columns if not column.nullable} - set(secret)
        filler = {name: _filler(schema.secrets.c[name].type.python_type) for name in columns}
        connection.execute(insert(schema.secrets).values(filler | secret))
    restore(other, take(database, tmp_path).path, replace=False)
    assert contents(other) == contents(database)
    with other.read() as connection:
        tags = connection.execute(select(schema.experiment_tags.c.value).order_by(schema.experiment_tags.c.key))
        assert list(tags.scalars()) == ODD_TEXTS
        values = connection.execute(select(schema.metrics.c.value).order_by(schema.metrics.c.timestamp))
        assert list(values.scalars()) == numbers
        assert connection.scalar(select(schema.secrets.c.encrypted_value)) == bytes(range(256))


def _filler(kind: type) -> object:
    return kind("1") if kind is not dict else {}


def test_ids_go_on_where_they_were_and_computed_columns_are_computed(
    filled: Database, other: Database, tmp_path: Path
) -> None:
    with filled.write() as connection:
        highest = add_experiment(connection, "removed")
        connection.execute(schema.experiments.delete().where(schema.experiments.c.experiment_id == highest))
    restore(other, take(filled, tmp_path).path, replace=False)
    with other.write() as connection:
        next_id = add_experiment(connection, "next")
        assert next_id == (highest if other.dialect == "sqlite" else highest + 1)  # SQLite gives ids again
        durations = connection.execute(
            text("SELECT duration_ns, end_time_unix_nano - start_time_unix_nano FROM spans")
        ).all()
        assert durations
        assert all(duration == difference for duration, difference in durations)


def test_a_backup_is_of_one_moment(filled: Database, other: Database, tmp_path: Path) -> None:
    """A writer keeps two tables equal in each transaction, while the backup reads one after the other."""
    with filled.write() as connection:
        experiment_id = add_experiment(connection, "pairs")
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with filled.write() as connection:
                connection.execute(insert(schema.runs).values(run_uuid=f"pair{number}", experiment_id=experiment_id))
                connection.execute(insert(schema.tags).values(run_uuid=f"pair{number}", key="pair", value="x"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        archives = [take(filled, tmp_path) for _ in range(5)]
    finally:
        stop.set()
        writer.join()
    for archive in archives:
        restore(other, archive.path, replace=True)
        with other.read() as connection:
            runs = connection.execute(text("SELECT run_uuid FROM runs WHERE run_uuid LIKE 'pair%'")).scalars()
            tags = connection.scalars(select(schema.tags.c.run_uuid).where(schema.tags.c.key == "pair"))
            assert set(runs) == set(tags)
    assert archives[0].manifest.rows < archives[-1].manifest.rows


def test_rows_are_not_held_in_memory(database: Database, tmp_path: Path) -> None:
    fill_with_metrics(database, 40_000)
    tracemalloc.start()
    try:
        archive = take(database, tmp_path)
        verify_archive(archive.path)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert archive.manifest.rows > 40_000
    assert peak_bytes < 12_000_000


# The file


def test_an_archive_is_for_its_owner_only_and_has_a_name_of_its_own(filled: Database, tmp_path: Path) -> None:
    first, second = take(filled, tmp_path), take(filled, tmp_path)
    assert first.path != second.path
    assert re.fullmatch(r"trackplane-20261125T123000Z-[0-9a-f]{6}\.zst", first.path.name)
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o600
    assert first.path.stat().st_size == first.size_bytes
    assert verify_archive(first.path) == first


def test_an_archive_is_never_overwritten(filled: Database, tmp_path: Path) -> None:
    path = tmp_path / "named.zst"
    archive = back_up(filled, path, now=NOW, tool="a test")
    with pytest.raises(BackupFailed, match="exists already"):
        back_up(filled, path, now=NOW, tool="a test")
    assert verify_archive(path) == archive


def test_a_backup_needs_a_database(empty_database: Database, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match=r"no database|empty"):
        take(empty_database, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_backup_needs_a_folder(filled: Database, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="No such file"):
        take(filled, tmp_path / "absent" / "a.zst")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("archive")
    source = open_database(f"sqlite:///{copy_golden(folder / 'golden.db')}")
    taken = take(source, folder)
    source.dispose()
    return taken


def cut(content: bytes, randomness: random.Random) -> bytes:
    return content[: randomness.randrange(len(content))]


def flip(content: bytes, randomness: random.Random) -> bytes:
    place = randomness.randrange(len(content))
    return content[:place] + bytes([content[place] ^ (1 << randomness.randrange(8))]) + content[place + 1 :]


def leave_out(content: bytes, randomness: random.Random) -> bytes:
    start = randomness.randrange(len(content))
    return content[:start] + content[start + randomness.randrange(1, 5000) :]


def append(content: bytes, randomness: random.Random) -> bytes:
    return content + randomness.randbytes(randomness.randrange(1, 5000))


@pytest.mark.parametrize("damage", [cut, flip, leave_out, append])
@pytest.mark.parametrize("seed", range(25))
def test_every_damage_is_found(
    damage: Callable[[bytes, random.Random], bytes], seed: int, archive: Archive, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.zst"
    damaged.write_bytes(damage(archive.path.read_bytes(), random.Random(seed)))
    with pytest.raises(BackupFailed, match="not a whole archive"):
        verify_archive(damaged)


@pytest.mark.parametrize(
    "content", [b"", b"x", b"\x00" * 100_000, b"PK\x03\x04" * 50], ids=["empty", "x", "zeros", "zip"]
)
def test_another_file_is_no_archive(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(BackupFailed, match="not an archive of Trackplane"):
        verify_archive(tmp_path / "other")
    with pytest.raises(BackupFailed, match="cannot be read"):
        verify_archive(tmp_path / "absent")


# Restoring over something


def test_a_used_database_is_replaced_only_when_told(filled: Database, other: Database, tmp_path: Path) -> None:
    taken = take(filled, tmp_path)
    wanted = contents(filled)
    with filled.write() as connection:
        add_experiment(connection, "newer")
    used = contents(filled)
    with pytest.raises(RestoreFailed, match=r"not empty.*--replace"):
        restore(filled, taken.path, replace=False)
    assert contents(filled) == used
    restore(filled, taken.path, replace=True)
    assert contents(filled) == wanted


def test_a_database_that_was_only_made_counts_as_empty(filled: Database, tmp_path: Path) -> None:
    taken = take(filled, tmp_path)
    wanted = contents(filled)
    with filled.write() as connection:
        for table in reversed(schema.metadata.sorted_tables):
            if table.name not in {"workspaces", "alembic_version"}:
                connection.execute(table.delete())
    restore(filled, taken.path, replace=False)
    assert contents(filled) == wanted


@pytest.mark.parametrize("damage", [cut, flip, leave_out])
def test_a_damaged_archive_changes_nothing(
    damage: Callable[[bytes, random.Random], bytes], filled: Database, tmp_path: Path
) -> None:
    before = contents(filled)
    content = take(filled, tmp_path).path.read_bytes()
    damaged = tmp_path / "damaged.zst"
    for seed in range(5):
        damaged.write_bytes(damage(content, random.Random(seed)))
        with pytest.raises(RestoreFailed, match="not a whole archive"):
            restore(filled, damaged, replace=True)
        assert contents(filled) == before
    assert list(tmp_path.glob(".trackplane*")) == []


def test_a_database_that_is_served_is_left_alone(filled: Database, tmp_path: Path) -> None:
    taken = take(filled, tmp_path)
    with serving_lock(filled), pytest.raises(RestoreFailed, match="served by trackplane server"):
        restore(filled, taken.path, replace=True)
    eventually(lambda: who_serves(filled) == ())  # PostgreSQL ends a session in its own time
    restore(filled, taken.path, replace=True)


# Kills


def run_and_kill(work: Callable[[], object], after_seconds: float) -> bool:
    """Whether it had come to its end by then."""
    child = start_child(work)
    time.sleep(after_seconds)
    os.kill(child, signal.SIGKILL)
    return wait_for(child) == 0


def fill_with_metrics(database: Database, count: int) -> None:
    with database.write() as connection:
        experiment_id = add_experiment(connection, "metrics")
        connection.execute(insert(schema.runs).values(run_uuid="m", experiment_id=experiment_id))
        rows = [{"key": f"k{i % 7}", "value": i / 3, "timestamp": i, "step": i, "run_uuid": "m"} for i in range(count)]
        connection.execute(insert(schema.metrics), rows)


def test_a_restore_killed_at_any_moment_leaves_the_old_or_the_new(filled: Database, tmp_path: Path) -> None:
    fill_with_metrics(filled, 2_000)
    taken = take(filled, tmp_path)
    new = contents(filled)
    began = time.monotonic()
    restore(filled, taken.path, replace=True)
    seconds = time.monotonic() - began
    randomness = random.Random(7)
    for number in range(8):
        with filled.write() as connection:
            connection.execute(text("DELETE FROM metrics"))
            add_experiment(connection, f"old {number}")
        old = contents(filled)
        filled.dispose()
        ended = run_and_kill(lambda: restore(filled, taken.path, replace=True), randomness.uniform(0, seconds * 1.1))
        see_sessions_end(filled)
        assert contents(filled) in ([new] if ended else [old, new])
    restore(filled, taken.path, replace=True)
    assert contents(filled) == new
    assert list(tmp_path.glob(".trackplane*")) == []


def test_a_backup_killed_at_any_moment_leaves_no_archive(filled: Database, tmp_path: Path) -> None:
    fill_with_metrics(filled, 5_000)
    folder = tmp_path / "backups"
    folder.mkdir()
    began = time.monotonic()
    take(filled, folder)
    seconds = time.monotonic() - began
    filled.dispose()
    randomness = random.Random(11)
    for _ in range(8):
        run_and_kill(lambda: take(filled, folder), randomness.uniform(0, seconds * 1.1))
    for path in folder.glob("*.zst"):
        verify_archive(path)
    take(filled, folder)
    assert [path.name for path in folder.iterdir() if not path.name.endswith(".zst")] == []


# SQLite


def test_sqlite_what_another_process_has_not_folded_in_is_not_mixed_in(archive: Archive, tmp_path: Path) -> None:
    """A killed server leaves `-wal` beside the file; it belongs to the old database."""
    path = copy_golden(tmp_path / "mlflow.db")
    script = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('PRAGMA journal_mode = WAL'); c.execute(\"UPDATE experiments SET name = name || '-x'\"); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    assert path.with_name("mlflow.db-wal").stat().st_size > 0
    database = open_database(f"sqlite:///{path}")
    restore(database, archive.path, replace=True)
    assert not path.with_name("mlflow.db-wal").exists()
    golden = open_database(f"sqlite:///{copy_golden(tmp_path / 'golden.db')}")
    assert contents(database) == contents(golden)
    golden.dispose()
    database.dispose()


def test_sqlite_a_database_in_use_is_left_alone(archive: Archive, tmp_path: Path) -> None:
    path = copy_golden(tmp_path / "mlflow.db")
    user = sqlite3.connect(path, isolation_level=None)
    user.execute("PRAGMA journal_mode = WAL")
    user.execute("BEGIN")
    before = user.execute("SELECT count(*) FROM runs").fetchone()
    database = open_database(f"sqlite:///{path}")
    inode = path.stat().st_ino
    with pytest.raises(RestoreFailed, match="in use"):
        restore(database, archive.path, replace=True)
    assert user.execute("SELECT count(*) FROM runs").fetchone() == before
    assert path.stat().st_ino == inode
    user.close()
    database.dispose()


def test_sqlite_a_broken_file_is_replaced(archive: Archive, tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    path.write_bytes(b"not a database at all " * 1000)
    path.chmod(0o640)
    database = open_database(f"sqlite:///{path}")
    with pytest.raises(RestoreFailed, match="--replace"):
        restore(database, archive.path, replace=False)
    restore(database, archive.path, replace=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert verify_contents(database, archive)
    database.dispose()


def verify_contents(database: Database, archive: Archive) -> bool:
    return contents(database)[1] == list(archive.manifest.tables)


def test_sqlite_triggers_and_tables_of_others_come_back(tmp_path: Path) -> None:
    path = copy_golden(tmp_path / "mlflow.db")
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, note, 'odd \"name' BLOB)")
        raw.execute("INSERT INTO notes (note) VALUES (1), (1.5), ('text'), (x'00ff'), (NULL)")
        raw.execute("CREATE TRIGGER noted AFTER INSERT ON notes BEGIN UPDATE notes SET note = 'fired'; END")
        raw.execute("CREATE VIEW all_notes AS SELECT note FROM notes")
    raw.close()
    source, other = open_database(f"sqlite:///{path}"), open_database(f"sqlite:///{tmp_path / 'other.db'}")
    restore(other, take(source, tmp_path).path, replace=False)
    assert contents(other) == contents(source)
    with other.read() as connection:
        assert connection.execute(text("SELECT note FROM all_notes")).scalars().all() == [
            1,
            1.5,
            "text",
            b"\x00\xff",
            None,
        ]
    source.dispose()
    other.dispose()


# PostgreSQL


@pytest.fixture
def on_postgresql(postgresql: PostgreSql, postgresql_template: str, tmp_path: Path) -> Iterator[Database]:
    opened = open_database(postgresql.create_database(f"archive_{time.monotonic_ns()}", postgresql_template))
    fill_with_golden(opened, tmp_path)
    yield opened
    opened.dispose()


def test_postgresql_tables_of_others_are_left_alone(on_postgresql: Database, tmp_path: Path) -> None:
    with on_postgresql.write() as connection:
        connection.execute(text("CREATE TABLE users (name text)"))
        connection.execute(text("INSERT INTO users VALUES ('kept')"))
    taken = take(on_postgresql, tmp_path)
    assert taken.manifest.left_out == ("users",)
    with on_postgresql.write() as connection:
        connection.execute(text("INSERT INTO users VALUES ('kept too')"))
    restore(on_postgresql, taken.path, replace=True)
    with on_postgresql.read() as connection:
        assert connection.execute(text("SELECT name FROM users")).scalars().all() == ["kept", "kept too"]


def test_postgresql_a_table_that_others_build_on_is_not_replaced(on_postgresql: Database, tmp_path: Path) -> None:
    with on_postgresql.write() as connection:
        connection.execute(text("CREATE VIEW run_names AS SELECT name FROM runs"))
    taken = take(on_postgresql, tmp_path)
    before = contents(on_postgresql)
    with pytest.raises(RestoreFailed, match="run_names"):
        restore(on_postgresql, taken.path, replace=True)
    assert contents(on_postgresql) == before


def test_postgresql_privileges_are_carried_over(on_postgresql: Database, tmp_path: Path) -> None:
    role = f'"reader {time.monotonic_ns()}"'
    with on_postgresql.write() as connection:
        connection.execute(text(f"CREATE ROLE {role}"))
        connection.execute(text(f"GRANT SELECT ON runs TO {role} WITH GRANT OPTION"))
        connection.execute(text("GRANT SELECT ON tags TO PUBLIC"))
    granted = privileges(on_postgresql)
    restore(on_postgresql, take(on_postgresql, tmp_path).path, replace=True)
    assert privileges(on_postgresql) == granted
    assert len(granted) == 2


def privileges(database: Database) -> list[Mapping[str, Any]]:
    statement = text(
        "SELECT grantee, table_name, privilege_type, is_grantable FROM information_schema.role_table_grants"
        " WHERE table_schema = 'public' AND grantee <> grantor ORDER BY 1, 2"
    )
    with database.read() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]


def test_postgresql_works_in_any_schema(on_postgresql: Database, postgresql: PostgreSql, tmp_path: Path) -> None:
    """Statements of the schema name none, so an archive restores into the one that the session is in."""
    name = f"schemas_{time.monotonic_ns()}"
    url = postgresql.create_database(name)
    bare = open_database(url)
    with bare.write() as connection:
        connection.execute(text('CREATE SCHEMA "Team A"'))
        connection.execute(text(f"ALTER DATABASE {name} SET search_path = 'Team A'"))
    bare.dispose()
    restore(bare, take(on_postgresql, tmp_path).path, replace=False)
    assert contents(bare) == contents(on_postgresql)
    with bare.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")) == 0
    bare.dispose()


# MariaDB


@pytest.fixture
def on_mariadb(mariadb: MariaDb, mariadb_template: str, tmp_path: Path) -> Iterator[Database]:
    opened = open_database(mariadb.create_database(f"archive_{time.monotonic_ns()}", mariadb_template))
    fill_with_golden(opened, tmp_path)
    yield opened
    opened.dispose()


def test_mariadb_what_hangs_on_a_table_stops_the_restore(on_mariadb: Database, tmp_path: Path) -> None:
    """A table of somebody else stays; one that refers to ours would lose what it refers to."""
    with on_mariadb.write() as connection:
        connection.execute(text("CREATE TABLE users (name varchar(10))"))
        connection.execute(text("INSERT INTO users VALUES ('kept')"))
    taken = take(on_mariadb, tmp_path)
    assert taken.manifest.left_out == ("users",)
    restore(on_mariadb, taken.path, replace=True)
    with on_mariadb.read() as connection:
        assert connection.scalars(text("SELECT name FROM users")).all() == ["kept"]
    with on_mariadb.write() as connection:
        connection.execute(text("CREATE TABLE notes (r varchar(32), FOREIGN KEY (r) REFERENCES runs (run_uuid))"))
    before = contents(on_mariadb)
    with pytest.raises(RestoreFailed, match="the table notes"):
        restore(on_mariadb, taken.path, replace=True)
    assert contents(on_mariadb) == before


def test_mariadb_nothing_stays_beside_the_database(on_mariadb: Database, tmp_path: Path) -> None:
    name = str(on_mariadb.url.url.database)
    with on_mariadb.write() as connection:
        for suffix in ("_trackplane_new", "_trackplane_old"):  # of a restore that was killed
            connection.execute(text(f"CREATE DATABASE `{name}{suffix}`"))
            connection.execute(text(f"CREATE TABLE `{name}{suffix}`.runs (left_over int)"))
    restore(on_mariadb, take(on_mariadb, tmp_path).path, replace=True)
    with on_mariadb.read() as connection:
        assert connection.scalars(text(f"SHOW DATABASES LIKE '{name}\\_%'")).all() == []


def test_mariadb_a_database_of_somebody_else_is_not_dropped(on_mariadb: Database, tmp_path: Path) -> None:
    beside = f"{on_mariadb.url.url.database}_trackplane_old"
    with on_mariadb.write() as connection:
        connection.execute(text(f"CREATE DATABASE `{beside}`"))
        connection.execute(text(f"CREATE TABLE `{beside}`.precious (a int)"))
    with pytest.raises(RestoreFailed, match="precious"):
        restore(on_mariadb, take(on_mariadb, tmp_path).path, replace=True)
    with on_mariadb.write() as connection:
        connection.execute(text(f"DROP TABLE `{beside}`.precious"))


def test_mariadb_a_table_without_snapshots_is_not_archived(on_mariadb: Database, tmp_path: Path) -> None:
    with on_mariadb.write() as connection:
        connection.execute(text("ALTER TABLE trackplane_gc_claims ENGINE = MyISAM"))
    with pytest.raises(BackupFailed, match=r"trackplane_gc_claims has the engine MyISAM.*ENGINE = InnoDB"):
        take(on_mariadb, tmp_path)


def test_the_trigger_of_mlflow_comes_back(empty_database: Database, tmp_path: Path) -> None:
    """It forbids changing what a secret is encrypted with; replacing a database that has it works too."""
    create_schema(empty_database)
    taken = take(empty_database, tmp_path)
    for _ in range(2):
        restore(empty_database, taken.path, replace=True)
    before = contents(empty_database)
    assert any("prevent_secrets_aad_mutation" in statement for statement in before[0])


@pytest.mark.parametrize(
    "begins", ["CREATE DATABASE", "CREATE TABLE", "DROP TRIGGER", "RENAME TABLE", "CREATE TRIGGER"]
)
def test_mariadb_a_restore_that_is_cut_off_leaves_the_old_or_the_new(
    begins: str, on_mariadb: Database, tmp_path: Path
) -> None:
    """Before each kind of statement that changes something for good; then it is run again."""
    with on_mariadb.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER prevent_secrets_aad_mutation BEFORE UPDATE ON secrets FOR EACH ROW SET @nothing = 1"
        )
    taken = take(on_mariadb, tmp_path)
    new = contents(on_mariadb)
    with on_mariadb.write() as connection:
        add_experiment(connection, "old")
    old = contents(on_mariadb)
    cut: list[str] = []

    def stop(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().startswith(begins) and not cut:
            cut.append(statement)
            raise RestoreFailed("cut off")

    event.listen(on_mariadb.engine, "before_cursor_execute", stop)
    with pytest.raises(RestoreFailed, match="cut off"):
        restore(on_mariadb, taken.path, replace=True)
    assert len(cut) == 1
    found = contents(on_mariadb)
    assert found[1] == (new if begins == "CREATE TRIGGER" else old)[1]
    assert len(found[0]) == len(old[0]) - (begins == "CREATE TRIGGER")
    restore(on_mariadb, taken.path, replace=True)
    assert contents(on_mariadb) == new
