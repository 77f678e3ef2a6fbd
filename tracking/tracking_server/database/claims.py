"""Who asks whether garbage collection has claimed something: what is claimed is not restored."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, inspect

from tracking_server.database import schema
from tracking_server.database.statements.collect import Kind, select_claimed

_AT_ONCE = 500


def has_claims(connection: Connection) -> bool:
    """Whether the database has the table of claims at all; without it, nothing is ever collected."""
    return inspect(connection).has_table(schema.trackplane_gc_claims.name)


def claimed(connection: Connection, kind: Kind, ids: Iterable[str]) -> frozenset[str]:
    """Those of `ids` that are claimed.

    To be asked after the row was changed in the same transaction: the collector locks the row before it deletes
    anything, so one of the two sees the other.
    """
    wanted: Sequence[str] = list(ids)
    if not wanted or not has_claims(connection):
        return frozenset()
    return frozenset(
        item_id
        for start in range(0, len(wanted), _AT_ONCE)
        for item_id in connection.scalars(select_claimed(kind, wanted[start : start + _AT_ONCE]))
    )
