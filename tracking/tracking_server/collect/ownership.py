"""Which database a root of artifacts belongs to: a marker in it names the database. Without one, nothing is removed."""

from typing import Final

import msgspec

from tracking_server.artifacts.store import ArtifactNotFound, ArtifactStore, WrongKind
from tracking_server.database.identity import database_id, ensure_database_id
from tracking_server.database.transactions import Database
from tracking_server.errors import ConfigInvalid

MARKER: Final = ".trackplane-owner.json"
_MOST_BYTES: Final = 4096


class _Marker(msgspec.Struct, frozen=True, kw_only=True):
    database: str
    """The id of the database whose artifacts are here."""


def adopt(database: Database, store: ArtifactStore, root: str, *, now: int) -> None:
    """Says in the root that what is there belongs to this database. Raises ConfigInvalid when it is another's."""

    own = ensure_database_id(database, now=now)
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
