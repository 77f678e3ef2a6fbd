"""Which database a root of artifacts belongs to: a marker in it names the database. Without one, nothing is removed.

The id of the database stands in our table of claims. A copy of the database has it too.
"""

import uuid
from typing import Final

import msgspec
from sqlalchemy import Connection

from tracking_server.artifacts.store import ArtifactNotFound, ArtifactStore, WrongKind
from tracking_server.database.statements import ownership as statements
from tracking_server.database.transactions import Database
from tracking_server.errors import ConfigInvalid

MARKER: Final = ".trackplane-owner.json"
_MOST_BYTES: Final = 4096


class _Marker(msgspec.Struct, frozen=True, kw_only=True):
    database: str
    """The id of the database whose artifacts are here."""


def database_id(database: Database) -> str | None:
    """None until a root was adopted."""
    with database.read() as connection:
        found: str | None = connection.scalar(statements.SELECT_DATABASE_ID)
    return found


def adopt(database: Database, store: ArtifactStore, root: str, *, now: int) -> None:
    """Says in the root that what is there belongs to this database. Raises ConfigInvalid when it is another's."""

    def id_of(connection: Connection) -> str:
        found: str | None = connection.scalar(statements.SELECT_DATABASE_ID)
        if found is None:
            connection.execute(statements.keep_database_id(str(uuid.uuid4()), now))
            found = connection.scalars(statements.SELECT_DATABASE_ID).one()
        return found

    own = database.retrying(id_of)
    owner = owner_of(store, root)
    if owner is None:
        with store.create(MARKER) as writer:
            writer.write(msgspec.json.encode(_Marker(database=own)) + b"\n")
            writer.commit()
    elif owner != own:
        raise _of_another(root, owner)


def refuse_foreign(database: Database, store: ArtifactStore, root: str) -> None:
    """Raises ConfigInvalid unless the marker names this database."""
    owner = owner_of(store, root)
    if owner is None:
        raise ConfigInvalid(
            f"Nothing says that the artifacts in {root} belong to this database: {MARKER} is not there. If no other"
            " server keeps artifacts there, say so with `trackplane gc --orphans --adopt-root`. Nothing was removed."
        )
    if owner != database_id(database):
        raise _of_another(root, owner)


def owner_of(store: ArtifactStore, root: str) -> str | None:
    """Raises ConfigInvalid for a marker that cannot be read."""
    try:
        with store.open(MARKER) as reader:
            content = reader.read(_MOST_BYTES)
        return msgspec.json.decode(content, type=_Marker).database
    except ArtifactNotFound:
        return None
    except (msgspec.MsgspecError, WrongKind) as error:
        raise ConfigInvalid(f"{MARKER} in {root} is not a marker of Trackplane. Nothing was removed.") from error


def _of_another(root: str, owner: str) -> ConfigInvalid:
    return ConfigInvalid(
        f"The artifacts in {root} belong to the database {owner}, as {MARKER} there says, and this is another one."
        " Delete the marker only if that database is gone for good. Nothing was removed."
    )
