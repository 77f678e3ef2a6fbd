"""Registered models and versions as they are read: those that must exist, and what a page of them holds."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from tracking_server.database import registry_rows, rows
from tracking_server.database.fetching import fetch_rows
from tracking_server.database.statements import model_versions as version_statements
from tracking_server.database.statements import registered_models as model_statements
from tracking_server.entities.model_versions import ModelVersion
from tracking_server.entities.registered_models import RegisteredModel
from tracking_server.entities.tags import Tag
from tracking_server.errors import DoesNotExist

_AT_ONCE: Final = 1000
"""Versions whose tags one statement looks for: it has twice as many parameters, and SQL Server takes 2,100."""


def no_model(name: str) -> DoesNotExist:
    return DoesNotExist(f"Registered Model with name={name} not found")


def no_version(name: str, version: str | int) -> DoesNotExist:
    return DoesNotExist(f"Model Version (name={name}, version={version}) not found")


def fetch_model(connection: Connection, name: str) -> RegisteredModel:
    found = fetch_rows(connection, model_statements.SELECT, {"of_model": name})
    if not found:
        raise no_model(name)
    (model,) = fetch_models(connection, found)
    return model


def fetch_models(connection: Connection, found: Sequence[Sequence[Any]]) -> list[RegisteredModel]:
    """The models of these rows (`statements.registered_models.COLUMNS`), one statement for each kind of child."""
    if not found:
        return []
    of_models = {"names": [row[0] for row in found]}
    tags = rows.tags_by_owner(fetch_rows(connection, model_statements.SELECT_TAGS, of_models))
    aliases = registry_rows.aliases_by_model(fetch_rows(connection, model_statements.SELECT_ALIASES, of_models))
    latest: dict[str, list[ModelVersion]] = {}
    for version in fetch_versions(connection, fetch_rows(connection, version_statements.SELECT_LATEST, of_models)):
        latest.setdefault(version.name, []).append(version)
    return [
        registry_rows.registered_model(
            row, tags.get(row[0], ()), aliases.get(row[0], ()), tuple(latest.get(row[0], ()))
        )
        for row in found
    ]


def fetch_version(connection: Connection, name: str, number: int) -> ModelVersion | None:
    """With its aliases."""
    found = fetch_rows(connection, version_statements.SELECT, {"of_model": name, "number": number})
    return fetch_versions_with_aliases(connection, name, found)[0] if found else None


def fetch_versions_with_aliases(
    connection: Connection, name: str, found: Sequence[Sequence[Any]]
) -> list[ModelVersion]:
    """Of one model."""
    if not found:
        return []
    aliases = registry_rows.aliases_by_model(fetch_rows(connection, model_statements.SELECT_ALIASES, {"names": [name]}))
    tags = _fetch_tags(connection, found)
    return [registry_rows.model_version(row, tags, aliases.get(row[0], ())) for row in found]


def fetch_versions(connection: Connection, found: Sequence[Sequence[Any]]) -> list[ModelVersion]:
    """The versions of these rows (`statements.model_versions.COLUMNS`), without their aliases."""
    tags = _fetch_tags(connection, found)
    return [registry_rows.model_version(row, tags) for row in found]


def _fetch_tags(connection: Connection, found: Iterable[Sequence[Any]]) -> Mapping[registry_rows.Key, Sequence[Tag]]:
    tags: dict[registry_rows.Key, Sequence[Tag]] = {}
    for some in _batches([(row[0], row[1]) for row in found]):
        names, numbers = {name for name, _ in some}, {number for _, number in some}
        of_versions = {"names": sorted(names), "numbers": sorted(numbers)}
        tags |= registry_rows.tags_by_version(fetch_rows(connection, version_statements.SELECT_TAGS, of_versions))
    return tags


def _batches(keys: Sequence[registry_rows.Key]) -> Iterable[Sequence[registry_rows.Key]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]
