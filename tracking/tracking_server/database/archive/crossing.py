"""An archive of one engine on its way into another: the rows of the archive, the schema of this release."""

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Dialect

from tracking_server.database.archive.contents import ArchiveSource
from tracking_server.database.archive.format import ArchiveDamaged, Manifest, TableHeader
from tracking_server.database.archive.head_schema import MLFLOW_HEAD, TRACKPLANE_HEAD, head_schema, head_tables
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

    def lines(self) -> Iterator[bytes]:
        is_known = True
        for line in self._source.lines():
            if line.startswith(b"{"):
                try:
                    is_known = msgspec.json.decode(line, type=TableHeader).table in self._known
                except msgspec.MsgspecError as error:
                    raise ArchiveDamaged("A table does not begin where it should.") from error
            if is_known:
                yield line
