"""The id of a database, by which its artifacts and its backups name it. It stands in our table of claims.

A copy of the database has it too.
"""

import uuid

from sqlalchemy import Connection

from tracking_server.database.claims import has_claims
from tracking_server.database.statements import ownership as statements
from tracking_server.database.transactions import Database
from tracking_server.errors import ConfigInvalid


def id_in(connection: Connection) -> str | None:
    """None until something needed it."""
    if not has_claims(connection):
        return None
    found: str | None = connection.scalar(statements.SELECT_DATABASE_ID)
    return found


def database_id(database: Database) -> str | None:
    """Raises ConfigInvalid when the file of the database is not there."""
    _refuse_missing(database)
    with database.read() as connection:
        return id_in(connection)


def ensure_database_id(database: Database, *, now: int) -> str:
    """Gives it one when it has none. Raises ConfigInvalid when it lacks our tables, or is not there."""
    _refuse_missing(database)

    def ensure(connection: Connection) -> str:
        if not has_claims(connection):
            raise ConfigInvalid("The database lacks our tables, so it has no id. Run `trackplane db upgrade` first.")
        if (found := id_in(connection)) is not None:
            return found
        connection.execute(statements.keep_database_id(str(uuid.uuid4()), now))
        kept: str = connection.scalars(statements.SELECT_DATABASE_ID).all()[0]
        return kept

    return database.retrying(ensure)


def _refuse_missing(database: Database) -> None:
    """SQLite would make the file."""
    if database.url.path is not None and not database.url.path.exists():
        raise ConfigInvalid(f"There is no database {database.url.path}.")
