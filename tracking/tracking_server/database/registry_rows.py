"""Rows of the model registry to entities; pure. Child rows arrive for a whole page at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from tracking_server.entities.model_versions import ModelVersion
from tracking_server.entities.registered_models import RegisteredModel, RegisteredModelAlias
from tracking_server.entities.tags import Tag

Row: TypeAlias = Sequence[Any]
Rows: TypeAlias = Iterable[Row]
Key: TypeAlias = tuple[str, int]
"""The name and the number of a version."""


def tags_by_version(rows: Rows) -> dict[Key, list[Tag]]:
    """(name, number, key, value)"""
    owners: dict[Key, list[Tag]] = {}
    for name, number, key, value in rows:
        owners.setdefault((name, number), []).append(Tag(key, value or ""))
    return owners


def aliases_by_model(rows: Rows) -> dict[str, list[tuple[str, int]]]:
    """(name, alias, number)"""
    owners: dict[str, list[tuple[str, int]]] = {}
    for name, alias, number in rows:
        owners.setdefault(name, []).append((alias, number))
    return owners


def model_version(row: Row, tags: Mapping[Key, Sequence[Tag]], aliases: Sequence[tuple[str, int]] = ()) -> ModelVersion:
    """`aliases`: all those of the model, or none when they are not to be told."""
    name, number, created, updated, user_id, stage, description, source, run_id, status, message, run_link = row
    return ModelVersion(
        name=name,
        version=str(number),
        creation_timestamp=created,
        last_updated_timestamp=updated,
        user_id=user_id,
        current_stage=stage,
        description=description,
        source=source,
        run_id=run_id,
        status=status,
        status_message=message,
        tags=tags.get((name, number), ()),
        run_link=run_link,
        aliases=tuple(alias for alias, of_number in aliases if of_number == number),
    )


def registered_model(
    row: Row,
    tags: Sequence[Tag] = (),
    aliases: Sequence[tuple[str, int]] = (),
    latest_versions: Sequence[ModelVersion] = (),
) -> RegisteredModel:
    name, created, updated, description = row
    return RegisteredModel(
        name=name,
        creation_timestamp=created,
        last_updated_timestamp=updated,
        description=description or "",
        latest_versions=latest_versions,
        tags=tags,
        aliases=tuple(RegisteredModelAlias(alias=alias, version=str(number)) for alias, number in aliases),
    )
