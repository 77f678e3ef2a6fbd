"""Where each lineage of migrations records the revision of a database."""

from sqlalchemy import Column, Named, PrimaryKeyConstraint, String, Table, TypedColumns

from tracking_server.database.tables.metadata import version_metadata


class AlembicVersionColumns(TypedColumns):
    version_num: Named[str] = Column(String(32))


alembic_version = Table(
    "alembic_version",
    version_metadata,
    AlembicVersionColumns,
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""MLflow's lineage."""

alembic_version_trackplane = Table(
    "alembic_version_trackplane",
    version_metadata,
    AlembicVersionColumns,
    PrimaryKeyConstraint("version_num", name="alembic_version_trackplane_pkc"),
)
"""Ours. Every check of MLflow ignores a table whose name begins with `alembic_`."""
