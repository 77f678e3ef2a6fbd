"""What a restore asks of its target: whether anything is in it before, and whether all is in it afterwards."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import Connection

from tracking_server.database.archive.fingerprint import Fingerprint
from tracking_server.database.archive.loading import Loaded
from tracking_server.database.archive.names import StoredTable, quoted
from tracking_server.database.archive.tables import encoded_lines
from tracking_server.errors import RestoreFailed


def refuse_used(connection: Connection, tables: Sequence[StoredTable]) -> None:
    """A database that was only made has its revisions and one workspace."""
    for table in tables:
        if table.name.startswith("alembic_version") or table.name == "workspaces":
            continue
        name = quoted(table.name, connection.dialect.name)
        found = connection.exec_driver_sql(f"SELECT 1 FROM {name} LIMIT 1")  # noqa: S608 - quoted
        if found.first() is not None:
            raise RestoreFailed(
                f"The database is not empty: it has rows in {table.name}. To replace all that is in it, add --replace."
            )


def verify_restored(connection: Connection, loaded: Sequence[Loaded]) -> None:
    """Reads all rows back and compares them with those of the archive."""
    for each in loaded:
        found = Fingerprint()
        for lines in encoded_lines(connection, each.table):
            found.add(lines)
        if found.value != each.fingerprint.value:
            raise RestoreFailed(
                f"The table {each.table.name} does not read back as it was archived. The database is as it was."
            )


Reference = tuple[str, str, str, str, str]
"""A column of a foreign key: name of the key, table, column, the table that it refers to and the column there."""


def refuse_orphans(connection: Connection, references: Sequence[Reference]) -> None:
    """Rows that refer to none: SQLite does not look, and an engine that loads fast does not either."""
    for (key, child, parent), columns in groupby(references, key=lambda each: (each[0], each[1], each[3])):
        if found := _orphan(connection, child, parent, [(each[2], each[4]) for each in columns]):
            count, example = found
            raise RestoreFailed(
                f"{count} rows of {child} refer to rows of {parent} that are not there (foreign key {key}), such as"
                f" {example}. The database is as it was."
            )


def _orphan(
    connection: Connection, child: str, parent: str, columns: Sequence[tuple[str, str]]
) -> tuple[int, str] | None:
    dialect = connection.dialect.name
    pairs = [(f"c.{quoted(own, dialect)}", f"p.{quoted(theirs, dialect)}") for own, theirs in columns]
    filled = " AND ".join(f"{own} IS NOT NULL" for own, _ in pairs)
    equal = " AND ".join(f"{own} = {theirs}" for own, theirs in pairs)
    matching = f"SELECT 1 FROM {quoted(parent, dialect)} p WHERE {equal}"  # noqa: S608 - names from the catalog, quoted
    lacking = f"FROM {quoted(child, dialect)} c WHERE {filled} AND NOT EXISTS ({matching})"
    example = connection.exec_driver_sql(f"SELECT {', '.join(own for own, _ in pairs)} {lacking} LIMIT 1").first()
    if example is None:
        return None
    count = connection.exec_driver_sql(f"SELECT COUNT(*) {lacking}").scalar_one()
    names = ", ".join(f"{own} = {value}" for (own, _), value in zip(columns, example, strict=True))
    return count, names
