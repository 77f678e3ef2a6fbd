"""An archive of one engine on its way into another: the rows of the archive, the schema of this release."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec
from sqlalchemy import Dialect

from tracking_server.database.archive.contents import ArchivedTable, ArchiveSource, Batch, is_row
from tracking_server.database.archive.format import ArchiveDamaged, Manifest, TableHeader, Value, encode_rows
from tracking_server.database.archive.head_schema import MLFLOW_HEAD, TRACKPLANE_HEAD, head_schema, head_tables
from tracking_server.database.archive.json_numbers import as_sqlite_keeps
from tracking_server.errors import RestoreFailed


class Crossing:
    """A source with the tables that the schema of this release has. `left_behind` names the others."""

    def __init__(self, source: ArchiveSource, dialect: Dialect) -> None:
        found = source.manifest
        if found.mlflow != MLFLOW_HEAD:
            raise RestoreFailed(
                f"The archive is of {found.dialect} with the schema {found.mlflow or 'of no revision'} of MLflow, and"
                f" only {MLFLOW_HEAD} can go to another engine. Restore it into {found.dialect}, run trackplane db"
                " upgrade there, and take another backup. The database is as it was."
            )
        known = {*head_tables(), "alembic_version"}
        self._source = source
        self._known = known
        self._dialect = dialect.name
        self.negative_zeros = 0
        """How many were made 0.0, which is what an engine without -0.0 makes of them."""
        self.left_behind: Sequence[str] = tuple(
            table.name
            for table in found.tables
            if table.rows and table.name not in known and table.name != "alembic_version_trackplane"
        )
        self._manifest = msgspec.structs.replace(
            found,
            tables=tuple(table for table in found.tables if table.name in known),
            trackplane=TRACKPLANE_HEAD,
            native_schema=head_schema(dialect),
        )

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    def blocks(self) -> Iterator[Sequence[bytes]]:
        is_known = True
        for block in self._source.blocks():
            known: list[bytes] = []
            for line in block:
                if not is_row(line):
                    is_known = _table_of(line) in self._known
                if is_known:
                    known.append(line)
            yield known

    def fitted(self, table: ArchivedTable) -> ArchivedTable:
        """The rows as the target holds them."""
        conversions: dict[int, Callable[[Value], Value]] = {}
        for place, column in enumerate(table.columns):
            if column.kind == "float" and self._dialect != "postgresql":
                conversions[place] = self._without_negative_zero
            elif column.kind == "json" and self._dialect == "sqlite":
                conversions[place] = _json_of_sqlite
        if not conversions:
            return table
        is_only_zeros = all(each == self._without_negative_zero for each in conversions.values())
        return replace(
            table,
            batches=(
                batch
                if is_only_zeros and not any(b"-0.0" in line for line in batch.lines)
                else _converted(table, batch, conversions)
                for batch in table.batches
            ),
        )

    def _without_negative_zero(self, value: Value) -> Value:
        if isinstance(value, float) and value == 0.0 and math.copysign(1, value) < 0:
            self.negative_zeros += 1
            return 0.0
        return value


def _table_of(line: bytes) -> str:
    try:
        return msgspec.json.decode(line, type=TableHeader).table
    except msgspec.MsgspecError as error:
        raise ArchiveDamaged("A table does not begin where it should.") from error


def _json_of_sqlite(value: Value) -> Value:
    return as_sqlite_keeps(value) if isinstance(value, str) else value


def _converted(table: ArchivedTable, batch: Batch, conversions: Mapping[int, Callable[[Value], Value]]) -> Batch:
    rows = [list(row) for row in batch.rows]
    for row in rows:
        for place, convert in conversions.items():
            row[place] = convert(row[place])
    return Batch(encode_rows(rows, [column.kind for column in table.columns]), rows)
