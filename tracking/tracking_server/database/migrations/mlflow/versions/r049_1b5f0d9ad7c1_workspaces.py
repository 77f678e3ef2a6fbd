"""Workspaces: a column in twelve tables, and in the keys of those in which names are unique.

What there is belongs to the workspace `default`.
"""

from collections.abc import Sequence
from typing import Any, Final

from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint, String, Text, column, insert, select, table, text

from tracking_server.database.migrations.mlflow.operations import (
    Rebuild,
    add_column,
    create_index,
    create_table,
    dialect,
    drop_constraint,
    drop_index,
    has_column,
    now,
    rebuild,
)
from tracking_server.database.migrations.mlflow.secrets_trigger import create_secrets_trigger

revision = "1b5f0d9ad7c1"
down_revision = "c8d9e0f1a2b3"

CHILDREN: Final = {
    "model_versions": "registered_models",
    "registered_model_tags": "registered_models",
    "registered_model_aliases": "registered_models",
    "model_version_tags": "model_versions",
}
"""In an order in which none refers to a key that is not there yet: the parents first."""


def upgrade() -> None:
    if dialect() != "sqlite":  # where a key cannot be replaced while another table refers to it
        for child in CHILDREN:
            for name in _old_foreign_keys(child):
                drop_constraint(name, child, "foreignkey")
    _experiments()
    _registry()
    add_column("evaluation_datasets", _workspace())
    add_column("webhooks", _workspace())
    _unique_name("secrets", "secret_name", "unique_secret_name")
    if dialect() == "sqlite":
        create_secrets_trigger()
    _unique_name("endpoints", "name", "unique_endpoint_name")
    _unique_name("model_definitions", "name", "unique_model_definition_name")
    _jobs()
    for each in ("experiments", "registered_models", "evaluation_datasets", "webhooks"):
        create_index(f"idx_{each}_workspace", each, ["workspace"])
    create_index("idx_experiments_workspace_creation_time", "experiments", ["workspace", "creation_time"])
    for each in ("secrets", "endpoints", "model_definitions"):
        create_index(f"idx_{each}_workspace", each, ["workspace"])
    _catalogue()


def _workspace() -> Column[Any]:
    return Column("workspace", String(63), nullable=False, server_default=text("'default'"))


def _experiments() -> None:
    with rebuild("experiments") as experiments:
        _drop_unique(experiments, "experiments")
        experiments.add_column(_workspace())
        experiments.create_unique("uq_experiments_workspace_name", ["workspace", "name"])


def _registry() -> None:
    with rebuild("registered_models") as models:
        _drop_unique(models, "registered_models")
        models.add_column(_workspace())
        models.replace_primary_key("registered_model_pk", ["workspace", "name"])
    _child("model_versions", "model_version_pk", ["workspace", "name", "version"], ["workspace", "name"])
    _child("registered_model_tags", "registered_model_tag_pk", ["workspace", "key", "name"], ["workspace", "name"])
    _child(
        "model_version_tags",
        "model_version_tag_pk",
        ["workspace", "key", "name", "version"],
        ["workspace", "name", "version"],
    )
    _child(
        "registered_model_aliases",
        "registered_model_alias_pk",
        ["workspace", "name", "alias"],
        ["workspace", "name"],
        ondelete="CASCADE",
    )


def _child(name: str, key: str, columns: Sequence[str], refers: Sequence[str], *, ondelete: str | None = None) -> None:
    with rebuild(name) as child:
        if dialect() == "sqlite":
            for old in _old_foreign_keys(name):
                child.drop_constraint(old, "foreignkey")
        child.add_column(_workspace())
        child.replace_primary_key(key, columns)
        child.create_foreign_key(
            f"fk_{name}_{CHILDREN[name]}", refers, CHILDREN[name], refers, onupdate="CASCADE", ondelete=ondelete
        )


def _old_foreign_keys(child: str) -> list[str]:
    """As the engine and the release called them, and as `rebuild` calls those without a name."""
    parent = CHILDREN[child]
    return [
        key["name"] or f"fk_{child}_{parent}_{key['constrained_columns'][0]}"
        for key in now().get_foreign_keys(child)
        if key["referred_table"] == parent and "workspace" not in key["constrained_columns"]
    ]


def _drop_unique(rebuilt: Rebuild, name: str) -> None:
    """The constraint on the name alone, however it is called."""
    for constraint in now().get_unique_constraints(name):
        if constraint["column_names"] == ["name"]:
            rebuilt.drop_constraint(constraint["name"] or f"uq_{name}_name", "unique")


def _unique_name(name: str, of: str, old: str) -> None:
    drop_index(old, name)
    with rebuild(name) as rebuilt:
        rebuilt.add_column(_workspace())
        rebuilt.create_unique(f"uq_{name}_workspace_{of}", ["workspace", of])


def _jobs() -> None:
    """The index keeps its name: it is the old one as long as there is no column for the new one."""
    index = "index_jobs_name_status_creation_time"
    if not has_column("jobs", "workspace"):
        drop_index(index, "jobs")
    add_column("jobs", _workspace())
    create_index(index, "jobs", ["job_name", "workspace", "status", "creation_time"])


def _catalogue() -> None:
    create_table(
        "workspaces",
        Column("name", String(63), nullable=False),
        Column("description", Text(), nullable=True),
        Column("default_artifact_root", Text(), nullable=True),
        PrimaryKeyConstraint("name", name="workspaces_pk"),
    )
    workspaces = table("workspaces", column("name", String()), column("description", Text()))
    connection = op.get_bind()
    if connection.scalar(select(workspaces.c.name).where(workspaces.c.name == "default")) is None:
        row = {"name": "default", "description": "Default workspace for legacy resources"}
        connection.execute(insert(workspaces).values(row))
