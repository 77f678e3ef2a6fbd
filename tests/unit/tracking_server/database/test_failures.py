"""Every error of the closed family that SQLAlchemy makes of a driver's has a meaning."""

import sqlite3

import psycopg
import pymysql
import pytest
from psycopg import errors as postgresql
from sqlalchemy import exc

from tracking_server.database.failures import is_unique_violation, is_worth_repeating, translate
from tracking_server.errors import BadRequest, InternalError, TemporarilyUnavailable, TrackingError

MEANINGS: dict[type[exc.DBAPIError], type[TrackingError]] = {
    exc.DBAPIError: InternalError,
    exc.InterfaceError: InternalError,
    exc.DatabaseError: InternalError,
    exc.DataError: BadRequest,
    exc.OperationalError: TemporarilyUnavailable,
    exc.IntegrityError: BadRequest,
    exc.InternalError: InternalError,
    exc.ProgrammingError: InternalError,
    exc.NotSupportedError: InternalError,
}


def family(kind: type[exc.DBAPIError]) -> set[type[exc.DBAPIError]]:
    return {kind}.union(*(family(child) for child in kind.__subclasses__()))


def test_every_kind_of_error_has_a_meaning() -> None:
    assert family(exc.DBAPIError) == MEANINGS.keys()


@pytest.mark.parametrize("kind", MEANINGS)
def test_what_an_error_means(kind: type[exc.DBAPIError]) -> None:
    assert type(translate(kind("SELECT 1", {}, Exception("s3cret")))) is MEANINGS[kind]


@pytest.mark.parametrize("kind", MEANINGS)
def test_a_lost_connection_is_temporary_whatever_it_is_called(kind: type[exc.DBAPIError]) -> None:
    error = kind("SELECT 1", {}, Exception(), connection_invalidated=True)
    assert type(translate(error)) is TemporarilyUnavailable


@pytest.mark.parametrize("kind", MEANINGS)
def test_nothing_of_the_driver_reaches_the_user(kind: type[exc.DBAPIError]) -> None:
    assert "s3cret" not in translate(kind("SELECT 's3cret'", {"p": "s3cret"}, Exception("s3cret"))).message


def sqlite_error(kind: type[sqlite3.Error], code: int) -> sqlite3.Error:
    error = kind("text")
    error.sqlite_errorcode = code
    return error


BASES: tuple[type[Exception], ...] = (sqlite3.Error, psycopg.Error, pymysql.Error)


def wrapped(error: Exception) -> exc.DBAPIError:
    """As SQLAlchemy wraps it."""
    base = next(base for base in BASES if isinstance(error, base))
    made = exc.DBAPIError.instance("SELECT 1", {}, error, base)
    assert isinstance(made, exc.DBAPIError)
    return made


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        pytest.param(sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_BUSY), TemporarilyUnavailable, id="busy"),
        pytest.param(
            sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_FULL), TemporarilyUnavailable, id="disk full"
        ),
        pytest.param(sqlite_error(sqlite3.OperationalError, sqlite3.SQLITE_ERROR), InternalError, id="no such table"),
        pytest.param(
            sqlite_error(sqlite3.IntegrityError, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY), BadRequest, id="foreign key"
        ),
        pytest.param(postgresql.QueryCanceled(), TemporarilyUnavailable, id="statement timeout"),
        pytest.param(postgresql.AdminShutdown(), TemporarilyUnavailable, id="shutdown"),
        pytest.param(postgresql.ReadOnlySqlTransaction(), TemporarilyUnavailable, id="standby"),
        pytest.param(postgresql.UndefinedTable(), InternalError, id="undefined table"),
        pytest.param(postgresql.StringDataRightTruncation(), BadRequest, id="too long"),
        pytest.param(postgresql.NumericValueOutOfRange(), BadRequest, id="out of range"),
        pytest.param(pymysql.err.OperationalError(1213, "Deadlock"), TemporarilyUnavailable, id="mysql deadlock"),
        pytest.param(pymysql.err.DataError(1406, "Data too long"), BadRequest, id="mysql too long"),
        pytest.param(pymysql.err.OperationalError(4025, "CONSTRAINT failed"), BadRequest, id="mariadb check"),
        pytest.param(pymysql.err.OperationalError(1153, "Got a packet bigger"), BadRequest, id="mysql too large"),
        pytest.param(pymysql.err.OperationalError(1290, "--read-only"), TemporarilyUnavailable, id="mysql standby"),
        pytest.param(pymysql.err.OperationalError(1927, "was killed"), TemporarilyUnavailable, id="mariadb killed"),
        pytest.param(pymysql.err.OperationalError(2003, "Can't connect"), TemporarilyUnavailable, id="mysql away"),
        pytest.param(pymysql.err.OperationalError(1347, "is not BASE TABLE"), InternalError, id="mysql bad statement"),
    ],
)
def test_what_drivers_say(error: Exception, meaning: type[TrackingError]) -> None:
    assert type(translate(wrapped(error))) is meaning


@pytest.mark.parametrize(
    ("statement", "error", "said"),
    [
        pytest.param(
            "INSERT INTO runs (run_uuid, user_id) VALUES (%s)",
            postgresql.StringDataRightTruncation("value too long for type character varying(256)"),
            "user_id may have at most 256 characters",
            id="one column of this width",
        ),
        pytest.param(
            "UPDATE logged_models SET name = %s",
            postgresql.StringDataRightTruncation("value too long for type character varying(500)"),
            "name or model_type may have at most 500 characters",
            id="two columns of this width",
        ),
        pytest.param(
            "WITH made AS (INSERT INTO runs (user_id) VALUES (%s)) INSERT INTO tags (value) VALUES (%s)",
            postgresql.StringDataRightTruncation("value too long for type character varying(8000)"),
            "value may have at most 8000 characters",
            id="two tables",
        ),
        pytest.param(
            "INSERT INTO `runs` (run_uuid) VALUES (%s)",
            pymysql.err.DataError(1406, "Data too long for column 'user_id' at row 1"),
            "user_id may have at most 256 characters",
            id="mysql names it",
        ),
        pytest.param(
            "INSERT INTO theirs (name) VALUES (%s)",
            postgresql.StringDataRightTruncation("value too long for type character varying(256)"),
            "it is too long, out of range or not text",
            id="a table of others",
        ),
    ],
)
def test_what_is_too_long_is_named(statement: str, error: Exception, said: str) -> None:
    base = next(base for base in BASES if isinstance(error, base))
    made = exc.DBAPIError.instance(statement, {}, error, base)
    assert isinstance(made, exc.DBAPIError)
    assert translate(made).message == f"The database refused a value: {said}."


@pytest.mark.parametrize(
    "error",
    [
        sqlite_error(sqlite3.IntegrityError, sqlite3.SQLITE_CONSTRAINT_UNIQUE),
        sqlite_error(sqlite3.IntegrityError, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY),
        postgresql.UniqueViolation(),
        pymysql.err.IntegrityError(1062, "Duplicate entry"),
    ],
    ids=repr,
)
def test_a_race_for_a_key_is_worth_another_try(error: Exception) -> None:
    assert is_unique_violation(wrapped(error))
    assert is_worth_repeating(wrapped(error), is_committing=False)


@pytest.mark.parametrize(
    ("error", "before", "in_commit"),
    [
        pytest.param(postgresql.DeadlockDetected(), True, True, id="deadlock"),
        pytest.param(postgresql.SerializationFailure(), True, True, id="serialization"),
        pytest.param(pymysql.err.OperationalError(1205, "Lock wait timeout"), True, True, id="mysql lock"),
        pytest.param(pymysql.err.OperationalError(1927, "was killed"), True, False, id="mariadb killed"),
        pytest.param(postgresql.ForeignKeyViolation(), False, False, id="foreign key"),
        pytest.param(postgresql.QueryCanceled(), False, False, id="statement timeout"),
    ],
)
def test_when_another_try_may_help(error: Exception, before: bool, in_commit: bool) -> None:
    assert is_worth_repeating(wrapped(error), is_committing=False) is before
    assert is_worth_repeating(wrapped(error), is_committing=True) is in_commit


def test_a_connection_lost_in_the_commit_is_not_tried_again() -> None:
    lost = exc.OperationalError("COMMIT", {}, Exception(), connection_invalidated=True)
    assert is_worth_repeating(lost, is_committing=False)
    assert not is_worth_repeating(lost, is_committing=True)
