"""What an error of a database driver means to whoever asked: try again, change the request, or report our bug. Pure."""

import re
import sqlite3
from typing import Final

from sqlalchemy import String
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError

from tracking_server.database import schema
from tracking_server.errors import BadRequest, InternalError, TemporarilyUnavailable, TrackingError

_TRANSIENT_STATES: Final = ("40001", "40P01", "55P03")
"""SQLSTATE: serialization failure, deadlock, lock not available."""
_UNAVAILABLE_STATES: Final = ("25006", "25P03", "25P04")
"""SQLSTATE: a standby after a failover, and two timeouts; psycopg calls them internal errors."""
_MYSQL_TRANSIENT: Final = (1205, 1213)
_MYSQL_UNAVAILABLE: Final = frozenset(
    {
        *(1021, 1030, 1041, 1114, 1180),  # no room, or the storage engine fails
        *(1040, 1042, 1043, 1044, 1045, 1049, 1129, 1130, 1203, 1226),  # it lets nobody in, or not us
        *(1077, 1079),  # it has shut down
        *(1290, 1792, 1836),  # read-only, as after a failover
        *(1317, 1969, 3024),  # a statement that took too long
        *(3100, 3101, 3797),  # the group of servers refuses
    }
)
"""PyMySQL calls all errors that it does not know operational, bad SQL included."""
_MYSQL_GONE: Final = (1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 4031)
"""It shuts down, or has hung up."""
_MYSQL_UNIQUE: Final = (1022, 1062)
_MYSQL_TOO_LARGE: Final = 1153
"""A statement past `max_allowed_packet`."""
_MYSQL_CHECK: Final = (3819, 4025)
"""A CHECK of MySQL, of MariaDB; PyMySQL calls both operational."""


def translate(error: DBAPIError) -> TrackingError:
    """The error of our own family. The driver's text stays in `__cause__`: it may hold what others wrote."""
    if is_disconnect(error):
        return TemporarilyUnavailable("The connection to the database was lost. Try again.")
    if is_conflict(error):
        return TemporarilyUnavailable("The database is busy with conflicting writes. Try again.")
    if isinstance(error, IntegrityError) or _mysql_number(error) in _MYSQL_CHECK:
        return BadRequest("The database refused the change: it conflicts with what is stored.")
    if _is_unavailable(error):
        return TemporarilyUnavailable("The database cannot serve this request now. Try again.")
    if isinstance(error, DataError) or _mysql_number(error) == _MYSQL_TOO_LARGE:
        return BadRequest(
            f"The database refused a value: {_too_long(error) or 'it is too long, out of range or not text'}."
        )
    return InternalError("The database refused a statement of this server.")


_WIDTH: Final = re.compile(r"character varying\((\d{1,9})\)")
_COLUMN: Final = re.compile(r"too long for column '(\w{1,64})'")
_TABLE: Final = re.compile(r"\b(?:INSERT INTO|UPDATE) \W?(\w{1,64})")


def _too_long(error: DBAPIError) -> str | None:
    """MySQL names the column, PostgreSQL its width alone, by which it is found in the tables of the statement."""
    said = str(error.orig)
    width, column = _WIDTH.search(said), _COLUMN.search(said)
    if width is None and column is None:
        return None
    columns = [
        (each.name, each.type.length)
        for name in dict.fromkeys(_TABLE.findall(error.statement or ""))
        if (table := schema.metadata.tables.get(name)) is not None
        for each in table.columns
        if isinstance(each.type, String) and each.type.length
    ]
    meant = {
        name: most for name, most in columns if (column and name == column[1]) or (width and most == int(width[1]))
    }
    return f"{' or '.join(meant)} may have at most {max(meant.values())} characters" if meant else None


def explain(error: TemporarilyUnavailable) -> str:
    """For an administrator, with the driver's own words, passwords included; a user of the API never gets those."""
    original = getattr(error.__cause__, "orig", None)
    if original is not None:
        return f"{error.message} The driver says: {str(original).strip()}"
    return f"{error.message} The reason: {error.__cause__}." if error.__cause__ is not None else error.message


def _is_unavailable(error: DBAPIError) -> bool:
    if _sqlstate(error) in _UNAVAILABLE_STATES:
        return True
    if (number := _mysql_number(error)) is not None:
        return number in _MYSQL_UNAVAILABLE or number in range(2000, 3000)  # those are the client's own
    # sqlite3 calls bad SQL and a missing table operational too: those have SQLITE_ERROR in the low byte
    return isinstance(error, OperationalError) and _sqlite_code(error) & 0xFF != sqlite3.SQLITE_ERROR


def is_worth_repeating(error: DBAPIError, *, is_committing: bool) -> bool:
    """Whether the same transaction, done again, may end otherwise."""
    return is_conflict(error) or is_unique_violation(error) or (is_disconnect(error) and not is_committing)


def is_disconnect(error: DBAPIError) -> bool:
    if _mysql_number(error) in _MYSQL_GONE:  # SQLAlchemy does not count these
        return True
    return error.connection_invalidated or (isinstance(error, InterfaceError) and "closed" in str(error.orig))


def is_conflict(error: DBAPIError) -> bool:
    """Deadlock, serialization failure, a lock that was not granted: the same transaction may succeed next time."""
    return _sqlstate(error) in _TRANSIENT_STATES or _mysql_number(error) in _MYSQL_TRANSIENT


def is_unique_violation(error: DBAPIError) -> bool:
    """Somebody wrote the same key first: asked again, the caller sees what now exists."""
    if not isinstance(error, IntegrityError):
        return False
    return (
        _sqlstate(error) == "23505"
        or _sqlite_code(error) in {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}
        or _mysql_number(error) in _MYSQL_UNIQUE
        or "(2627)" in str(error.orig)
        or "(2601)" in str(error.orig)
    )


def _sqlstate(error: DBAPIError) -> str | None:
    """Of psycopg, as an attribute; of pyodbc, as the first argument."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None and error.orig is not None and error.orig.args:
        state = error.orig.args[0]
    return state if isinstance(state, str) else None


def _sqlite_code(error: DBAPIError) -> int:
    """0 when it is not SQLite's, or when Python raised it before SQLite saw anything."""
    code = getattr(error.orig, "sqlite_errorcode", 0) if isinstance(error.orig, sqlite3.Error) else 0
    return code if isinstance(code, int) else 0


def _mysql_number(error: DBAPIError) -> int | None:
    """PyMySQL's first argument."""
    number = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return number if isinstance(number, int) else None
