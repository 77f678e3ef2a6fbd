"""Tags and aliases of what is known already: merged by rules, and never written over unless that was asked for."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, delete, select, update

from tests.support.databases import opened
from tests.support.file_stores import bring, number_of, write_text, write_yaml
from tracking_server.database import schema
from tracking_server.database.transactions import Database
from tracking_server.filestore.backend import follow_folder

MODEL = "m-" + "a" * 32
PLACES: Mapping[str, Column[Any]] = {
    "7/tags": schema.experiment_tags.c.value,
    f"7/models/{MODEL}/tags": schema.logged_model_tags.c.tag_value,
    "models/m/tags": schema.registered_model_tags.c.value,
    "models/m/aliases": schema.registered_model_aliases.c.version,
    "models/m/version-1/tags": schema.model_version_tags.c.value,
}
"""Where keys and values are, and the columns of the values."""


@pytest.fixture
def folder(root: Path) -> Path:
    """With a key `1` of the value 1 in each of the places."""
    logged = {"artifact_location": "s3://b/m", "creation_timestamp": 1, "last_updated_timestamp": 2, "status": 2}
    write_yaml(root / "7" / "models" / MODEL / "meta.yaml", {"name": "logged", "model_id": MODEL, **logged})
    write_yaml(root / "models" / "m" / "meta.yaml", {"name": "m", "creation_timestamp": 5})
    for version in (1, 2):
        write_yaml(root / "models" / "m" / f"version-{version}" / "meta.yaml", {"version": version, "source": "s"})
    for place in PLACES:
        write_text(root / place / "1", "1")
    return root


def values(database: Database) -> dict[str, list[str]]:
    with database.read() as connection:
        return {place: sorted(map(str, connection.scalars(select(column)).all())) for place, column in PLACES.items()}


def nouns(number: int) -> dict[str, int]:
    return dict.fromkeys((column.table.name for column in PLACES.values()), number)


def test_new_keys_are_added_and_differing_ones_kept_or_replaced(database: Database, folder: Path) -> None:
    bring(database, folder)
    for place in PLACES:
        write_text(folder / place / "1", "2")
        write_text(folder / place / "more", "2")
    trial = bring(database, folder, is_dry=True, replaces=True)
    kept = bring(database, folder)
    assert kept.added == trial.added == nouns(1)
    assert kept.differing == trial.replaced == nouns(1)
    assert sorted((str(each["path"]), each["what"]) for each in kept.differs) == sorted(
        (place, ["1"]) for place in PLACES
    )
    assert values(database) == {place: ["1", "2"] for place in PLACES}

    replaced = bring(database, folder, replaces=True)
    assert (replaced.added, replaced.replaced, replaced.differing) == ({}, nouns(1), {})
    assert values(database) == {place: ["2", "2"] for place in PLACES}
    assert bring(database, folder).differing == {}


def test_no_alias_or_tag_comes_to_a_version_that_was_deleted(sqlite: Database, folder: Path) -> None:
    bring(sqlite, folder)
    versions = schema.model_versions
    with sqlite.write() as connection:
        connection.execute(update(versions).where(versions.c.version == 1).values(current_stage="Deleted_Internal"))
        connection.execute(delete(schema.registered_model_aliases))
        connection.execute(delete(schema.model_version_tags))
    assert bring(sqlite, folder).added == {}


def test_what_was_deleted_in_the_database_of_a_backend_does_not_come_back(folder: Path) -> None:
    with opened(str(folder)) as database:
        follow_folder(database)
        for path in folder.rglob("*"):
            os.utime(path, (1, 1))
        with database.write() as connection:
            for table in ("experiment_tags", "logged_model_tags", "registered_model_tags", "registered_model_aliases"):
                connection.execute(delete(schema.metadata.tables[table]))
            connection.execute(update(schema.model_version_tags).values(value="changed"))
        second = follow_folder(database)
        with database.write() as connection:
            for table in ("model_version_tags", "model_versions", "registered_models"):
                connection.execute(delete(schema.metadata.tables[table]))
        third = follow_folder(database)
        assert number_of(database, "registered_models") == 0
        write_text(folder / "7" / "tags" / "1", "written again")
        fourth = follow_folder(database)
    assert second is not None
    assert third is not None
    assert fourth is not None
    assert (second.added, second.differing, third.added) == ({}, {}, {})
    assert fourth.added == {"experiment_tags": 1}
