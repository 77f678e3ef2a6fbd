import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select, text, update

from tests.support.children import run_in_child
from tests.support.databases import PostgreSql, counted_statements, end_other_sessions, opened
from tracking_server.database import schema
from tracking_server.database.transactions import Database, DatabaseOptions, open_database
from tracking_server.errors import BadRequest, ConfigInvalid, InternalError, TemporarilyUnavailable, TrackingError

experiments = schema.experiments


def names(connection: Connection) -> list[str]:
    return list(connection.scalars(select(experiments.c.name).order_by(experiments.c.name)))


def add(connection: Connection, name: str) -> None:
    connection.execute(insert(experiments).values(name=name, lifecycle_stage="active"))


def test_a_write_commits_at_its_end(database: Database) -> None:
    with database.write() as connection:
        add(connection, "a")
    with database.read() as connection:
        assert names(connection) == ["a"]


def test_an_error_undoes_the_whole_write(database: Database) -> None:
    def add_and_fail() -> None:
        with database.write() as connection:
            add(connection, "a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        add_and_fail()
    with database.read() as connection:
        assert names(connection) == []


def test_a_snapshot_sees_one_moment(database: Database) -> None:
    with database.snapshot() as snapshot:
        before = names(snapshot)
        with database.write() as connection:
            add(connection, "a")
        assert names(snapshot) == before == []


def test_reads_and_snapshots_leave_nothing_behind(database: Database) -> None:
    for _ in range(3):
        with database.snapshot() as connection:
            names(connection)
        with database.read() as connection:
            names(connection)
        with database.write() as connection:
            add(connection, f"e{connection.scalar(select(func.count()).select_from(experiments))}")
    with database.read() as connection:
        assert names(connection) == ["e0", "e1", "e2"]


def test_a_use_sends_no_statement_of_its_own(database: Database) -> None:
    with database.read() as connection:
        names(connection)
    with counted_statements(database) as statements:
        with database.read() as connection:
            names(connection)
        with database.write() as connection:
            add(connection, "a")
    assert [statement.split()[0] for statement in statements] == ["SELECT", "INSERT"]


@pytest.mark.parametrize(
    ("values", "meaning"),
    [
        pytest.param({"name": "a", "experiment_id": 2**70}, BadRequest, id="a number past 64 bits"),
        pytest.param({"name": "a\ud800"}, BadRequest, id="half a surrogate pair"),
        pytest.param({"name": "taken"}, BadRequest, id="a key that exists"),
        pytest.param({"name": "a", "lifecycle_stage": "lost"}, BadRequest, id="a CHECK"),
        pytest.param({"name": None}, BadRequest, id="a NULL"),
    ],
)
def test_what_the_database_refuses_is_a_bad_request(
    database: Database, values: dict[str, object], meaning: type[TrackingError]
) -> None:
    with database.write() as connection:
        add(connection, "taken")
    with pytest.raises(meaning), database.write() as connection:
        connection.execute(insert(experiments).values(**values))


def test_a_mistake_of_ours_is_an_internal_error(database: Database) -> None:
    with pytest.raises(InternalError), database.read() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))


def test_a_race_for_a_key_is_tried_once_more(database: Database) -> None:
    tries: list[list[str]] = []

    def add_if_absent(connection: Connection) -> str:
        tries.append(names(connection))
        if tries[-1]:
            return "there"
        somebody_else_is_faster()
        add(connection, "a")
        return "made"

    def somebody_else_is_faster() -> None:
        connection_of_theirs.execute(insert(experiments).values(name="a"))
        connection_of_theirs.commit()

    if database.dialect == "sqlite":  # where a writer waits for another: the race is over before it begins
        with database.write() as connection:
            add(connection, "a")
        assert database.retrying(add_if_absent) == "there"
        return
    with database.engine.connect() as connection_of_theirs:
        assert database.retrying(add_if_absent) == "there"
    assert tries == [[], ["a"]]


def test_a_key_that_stays_taken_is_a_bad_request_after_two_tries(database: Database) -> None:
    tries: list[None] = []

    def add_again(connection: Connection) -> None:
        tries.append(None)
        add(connection, "a")

    with database.write() as connection:
        add(connection, "a")
    with pytest.raises(BadRequest):
        database.retrying(add_again)
    assert len(tries) == 2


def test_an_error_of_the_work_itself_is_not_tried_again(database: Database) -> None:
    tries: list[None] = []

    def refuse(_connection: Connection) -> None:
        tries.append(None)
        raise BadRequest("no")

    with pytest.raises(BadRequest, match="no"):
        database.retrying(refuse)
    assert len(tries) == 1


def test_writers_wait_for_each_other_and_lose_nothing(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(experiments).values(name="counted", creation_time=0))

    def count_up(connection: Connection) -> None:
        step = update(experiments).values(creation_time=experiments.c.creation_time + 1)
        connection.execute(step)

    def work() -> None:
        for _ in range(25):
            database.retrying(count_up)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.scalar(select(experiments.c.creation_time)) == 200


def test_a_forked_child_has_connections_of_its_own(database: Database) -> None:
    with database.write() as connection:
        add(connection, "parent")

    def work() -> None:
        with database.write() as connection:
            add(connection, "child")
        database.dispose()

    assert run_in_child(work) == 0
    with database.read() as connection:
        assert names(connection) == ["child", "parent"]


def test_a_full_pool_is_temporary(database_url: str) -> None:
    options = DatabaseOptions(pool_size=1, pool_timeout_seconds=0.05)
    with opened(database_url, options) as database, database.read() as connection:
        names(connection)
        with pytest.raises(TemporarilyUnavailable), database.read():
            pytest.fail("there was room for two")


@pytest.mark.parametrize("pool_class", ["NullPool", "QueuePool", "SingletonThreadPool", "StaticPool"])
def test_each_class_of_pool_serves(database_url: str, pool_class: str) -> None:
    with opened(database_url, DatabaseOptions(pool_class=pool_class)) as database:
        with database.write() as connection:
            add(connection, "a")
        with database.read() as connection:
            assert names(connection) == ["a"]


def test_a_pool_class_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match="NullPool"):
        open_database("sqlite://", DatabaseOptions(pool_class="FastPool"))


def test_a_driver_that_is_not_installed_is_named_with_its_extra() -> None:
    with pytest.raises(ConfigInvalid, match=r"pyodbc.*trackplane\[mssql\]") as caught:
        open_database("mssql://sa:s3cret@host/d")
    assert "s3cret" not in caught.value.message


class TestSqlite:
    def test_it_is_set_up_for_a_server(self, tmp_path: Path) -> None:
        with opened(f"sqlite:///{tmp_path / 'x.db'}") as database, database.write() as connection:
            pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            settings = [connection.scalar(text(f"PRAGMA {pragma}")) for pragma in pragmas]
            assert settings == ["wal", 2, 1, 20000]
            assert connection.scalar(text("SELECT 'a' LIKE 'A'")) == 0

    def test_a_read_cannot_write(self, tmp_path: Path) -> None:
        with opened(f"sqlite:///{tmp_path / 'x.db'}") as database:
            with database.write() as connection:
                connection.execute(text("CREATE TABLE t (x)"))
            with pytest.raises(TrackingError), database.read() as connection:
                connection.execute(text("INSERT INTO t VALUES (1)"))

    def test_a_missing_folder_is_made_and_a_missing_path_is_not(self, tmp_path: Path) -> None:
        with opened(f"sqlite:///{tmp_path / 'new' / 'x.db'}") as database, database.write() as connection:
            connection.execute(text("CREATE TABLE t (x)"))
        assert (tmp_path / "new" / "x.db").exists()
        with pytest.raises(ConfigInvalid, match="does not exist"):
            open_database(f"sqlite:///{tmp_path / 'not' / 'mounted' / 'x.db'}")

    def test_a_look_makes_nothing(self, tmp_path: Path) -> None:
        with opened(f"sqlite:///{tmp_path / 'no.db'}", DatabaseOptions(read_only=True)) as database:
            with pytest.raises(TemporarilyUnavailable), database.read() as connection:
                connection.execute(text("SELECT 1"))
            assert list(tmp_path.iterdir()) == []

    def test_another_process_that_writes_too_long_is_temporary(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'x.db'}"
        with (
            opened(url) as theirs,
            opened(url, DatabaseOptions(lock_timeout_seconds=1)) as ours,
            theirs.write() as connection,
        ):
            connection.execute(text("CREATE TABLE t (x)"))
            with pytest.raises(TemporarilyUnavailable), ours.write():
                pytest.fail("two wrote at once")

    def test_in_memory_it_lives_as_long_as_its_database(self) -> None:
        with opened("sqlite://") as database:
            with database.write() as connection:
                connection.execute(text("CREATE TABLE t (x)"))
            with database.read() as connection:
                assert connection.scalar(text("SELECT count(*) FROM t")) == 0


class TestServers:
    @pytest.fixture(params=["postgresql", "mariadb"])
    def engine_name(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def test_a_deadlock_is_tried_once_more(self, database: Database) -> None:
        with database.write() as connection:
            add(connection, "a")
            add(connection, "b")
        both_hold_one = threading.Barrier(2)
        tries: list[str] = []

        def touch(connection: Connection, name: str) -> None:
            connection.execute(update(experiments).where(experiments.c.name == name).values(creation_time=1))

        def work(first: str, second: str) -> None:
            def touch_both(connection: Connection) -> None:
                tries.append(first)
                if connection.dialect.name == "postgresql":
                    # One of the two looks long before the other, so that exactly one is ended.
                    patience = {"a": "50ms", "b": "20s"}[first]
                    connection.execute(text(f"SET LOCAL deadlock_timeout = '{patience}'"))
                touch(connection, first)
                if len(tries) <= 2:
                    both_hold_one.wait(timeout=20)
                touch(connection, second)

            database.retrying(touch_both)

        threads = [threading.Thread(target=work, args=names) for names in (("a", "b"), ("b", "a"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(tries) == 3
        with database.read() as connection:
            assert list(connection.scalars(select(experiments.c.creation_time))) == [1, 1]

    def test_a_connection_that_was_closed_at_rest_is_replaced_unseen(self, database: Database) -> None:
        for _ in range(2):
            with database.read() as connection:
                names(connection)
            end_other_sessions(database)
            with database.read() as connection:
                assert names(connection) == []

    def test_a_connection_lost_before_the_commit_is_tried_once_more(self, database: Database) -> None:
        tries: list[None] = []

        def lose_it_once(connection: Connection) -> None:
            tries.append(None)
            add(connection, "a")
            if len(tries) == 1:
                end_other_sessions(database)
                add(connection, "b")

        database.retrying(lose_it_once)
        with database.read() as connection:
            assert names(connection) == ["a"]
        assert len(tries) == 2

    def test_a_statement_that_takes_too_long_is_ended(self, database_url: str) -> None:
        with (
            opened(database_url, DatabaseOptions(statement_timeout_seconds=1)) as database,
            pytest.raises(TemporarilyUnavailable),
            database.read() as connection,
        ):
            connection.execute(
                text({"postgresql": "SELECT pg_sleep(20)", "mysql": "SELECT SLEEP(20)"}[database.dialect])
            )

    def test_a_server_that_does_not_answer_is_temporary(self, tmp_path: Path) -> None:
        with opened(f"postgresql://u:s3cret@/d?host={tmp_path}") as database:
            with pytest.raises(TemporarilyUnavailable) as caught, database.read():
                pytest.fail("somebody answered")
            assert "s3cret" not in str(caught.value.__cause__)

    def test_a_look_cannot_write(self, database_url: str) -> None:
        with (
            opened(database_url, DatabaseOptions(read_only=True)) as database,
            pytest.raises(TemporarilyUnavailable),
            database.write() as connection,
        ):
            add(connection, "a")

    def test_a_snapshot_changes_nothing_for_whoever_comes_next(self, database_url: str) -> None:
        with opened(database_url, DatabaseOptions(pool_size=1)) as database:
            with database.snapshot() as connection:
                names(connection)
            with database.write() as connection, opened(database_url) as another:
                assert names(connection) == []
                with another.write() as other:
                    add(other, "a")
                assert names(connection) == ["a"]

    def test_a_number_past_the_column_is_a_bad_request(self, database: Database) -> None:
        with pytest.raises(BadRequest), database.write() as connection:
            connection.execute(insert(experiments).values(name="a", experiment_id=2**40))


class TestPostgresql:
    @pytest.fixture
    def engine_name(self) -> str:
        return "postgresql"

    def test_text_with_a_null_character_is_a_bad_request(self, database: Database) -> None:
        with pytest.raises(BadRequest), database.write() as connection:
            add(connection, "a\0b")


def test_a_database_in_a_folder_for_sockets(postgresql: PostgreSql) -> None:
    with opened(postgresql.url("postgres")) as database, database.read() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
