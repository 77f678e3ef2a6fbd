"""Names of tables, and what a table is to an archive."""

from collections.abc import Sequence
from dataclasses import dataclass

from tracking_server.database import schema
from tracking_server.database.archive.format import Column


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTable:
    """Without the columns that the engine computes."""

    name: str
    columns: Sequence[Column]


def is_ours(table: str) -> bool:
    """MLflow's, or our own. A server's database may be shared with other programs, whose tables are left alone."""
    return table in schema.metadata.tables or table.startswith(("alembic_version", "trackplane_"))


def quoted(name: str, dialect: str = "") -> str:
    mark = "`" if dialect == "mysql" else '"'
    return mark + name.replace(mark, mark * 2) + mark
