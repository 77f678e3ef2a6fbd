"""Reads an archive once before it goes to another engine, and refuses it with the rows that would not fit."""

from collections.abc import Sequence

from sqlalchemy import Connection, Dialect

from tracking_server.database.archive.contents import ArchivedTable, ArchiveSource, read_tables
from tracking_server.database.archive.fit import Engine, Faults, check_row, checks_of, differences_of, key_of
from tracking_server.database.archive.head_schema import head_tables
from tracking_server.database.archive.sameness import UniqueKey, Weights, unique_keys
from tracking_server.database.batches import batches
from tracking_server.errors import RestoreFailed

_ROWS_AT_ONCE = 500


def refuse_what_does_not_fit(source: ArchiveSource, dialect: Dialect, connection: Connection | None) -> None:
    """`connection` is one to MySQL or MariaDB, which has to say what it holds to be the same; None for other engines.

    Raises RestoreFailed, ArchiveDamaged. Nothing is written.
    """
    faults = Faults()
    weights, packet_bytes = None, None
    if connection is not None:
        _refuse_character_set(connection)
        weights = Weights(connection)
        packet_bytes = int(connection.exec_driver_sql("SELECT @@max_allowed_packet").scalar_one())
    engine = Engine(dialect=dialect, packet_bytes=packet_bytes)
    suspected: dict[str, Sequence[UniqueKey]] = {}
    for archived in read_tables(source):
        keys = _read_once(archived, engine, weights, faults)
        if any(key.suspects for key in keys):
            suspected[archived.name] = keys
    if weights is not None and suspected:
        for archived in read_tables(source):
            _read_again(archived, suspected.get(archived.name, ()), weights, faults)
    if connection is not None:
        connection.rollback()
    if faults.count:
        more = f" The first {len(faults.shown)} are:" if faults.count > len(faults.shown) else ""
        remedy = ""
        if weights is not None and any(weights.collation in shown for shown in faults.shown):
            remedy = "\nALTER DATABASE ... COLLATE utf8mb4_nopad_bin (utf8mb4_0900_bin on MySQL) tells all texts apart."
        raise RestoreFailed(
            f"{faults.count} values do not fit into {dialect.name}; nothing was written.{more}\n"
            + "\n".join(faults.shown)
            + remedy
        )


def _read_once(archived: ArchivedTable, engine: Engine, weights: Weights | None, faults: Faults) -> Sequence[UniqueKey]:
    table = head_tables().get(archived.name)
    if table is None:  # the revision: one row
        for _ in archived.rows:
            pass
        return ()
    places = {column.name: place for place, column in enumerate(archived.columns)}
    checks = checks_of(table, engine)
    if strange := [name for name in places if name not in checks]:
        raise RestoreFailed(
            f"The table {archived.name} has columns that this release does not know: {', '.join(strange)}. Nothing was"
            " written."
        )
    in_order = [checks[column.name] for column in archived.columns]
    differences = differences_of(table, places, engine)
    primary = [places[column.name] for column in table.primary_key.columns if column.name in places]
    keys = unique_keys(table, archived.content.rows) if weights is not None else ()
    for key in keys:
        key.places = [places[name] for name in key.columns if name in places]
    for rows in batches(archived.rows, _ROWS_AT_ONCE):
        for row in rows:
            check_row(archived, row, in_order, differences, primary, faults)
        if weights is not None and keys:
            weights.learn(text for row in rows for key in keys for text in key.texts(row))
            for row in rows:
                for key in keys:
                    key.note(row, weights)
    for key in keys:
        key.forget()
    return keys


def _read_again(archived: ArchivedTable, keys: Sequence[UniqueKey], weights: Weights, faults: Faults) -> None:
    """Only keys that met in a bit; most of them have done so by chance."""
    first: list[dict[int, str]] = [{} for _ in keys]
    for rows in batches(archived.rows, _ROWS_AT_ONCE):
        weights.learn(text for row in rows for key in keys for text in key.texts(row))
        for row in rows:
            for key, seen in zip(keys, first, strict=True):
                digest = key.digest(row, weights)
                if digest is None or not key.is_suspect(digest):
                    continue
                told = key_of(archived, row, key.places)
                other = seen.setdefault(digest, told)
                if other is not told:
                    limit = f"the collation {weights.collation} holds it to be the same as [{other}]"
                    faults.add(archived.name, told, ", ".join(key.columns), limit)


def _refuse_character_set(connection: Connection) -> None:
    found = connection.exec_driver_sql("SELECT @@character_set_database").scalar()
    if found != "utf8mb4":
        raise RestoreFailed(
            f"The database has the character set {found}, which cannot hold every text: run ALTER DATABASE ..."
            " CHARACTER SET utf8mb4. Nothing was written."
        )
