"""The schema that this release builds, as statements of any engine. Pure: nothing is connected to.

It is what an archive of another engine is loaded into. Foreign keys and indexes come after the rows where that is
possible; ids go on behind the highest one.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import DDL, URL, Column, Dialect, ForeignKeyConstraint, Table, create_mock_engine
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable, ExecutableDDLElement

from tracking_server.database import schema
from tracking_server.database.archive.format import NativeSchema
from tracking_server.database.archive.names import quoted
from tracking_server.database.migrations import mlflow, trackplane

MLFLOW_HEAD: Final = mlflow.HEAD
TRACKPLANE_HEAD: Final = trackplane.HEAD


def head_tables() -> dict[str, Table]:
    """All but the version tables."""
    return {table.name: table for table in (*schema.metadata.sorted_tables, *schema.own_metadata.sorted_tables)}


def head_schema(dialect: Dialect) -> NativeSchema:
    tables = [*head_tables().values(), schema.alembic_version, schema.alembic_version_trackplane]
    is_postgresql = dialect.name == "postgresql"
    made = _made(dialect)
    before = [
        str(CreateTable(table, include_foreign_key_constraints=[] if is_postgresql else None).compile(dialect=dialect))
        for table in tables
    ]
    after = [str(each.compile(dialect=dialect)) for each in made if isinstance(each, CreateIndex)]
    if is_postgresql:
        keys = [key for table in tables for key in table.foreign_key_constraints]
        after += [
            str(AddConstraint(key, isolate_from_table=False).compile(dialect=dialect))
            for key in sorted(keys, key=_place)
        ]
        after += [_sequence(table, column) for table in tables if (column := table.autoincrement_column) is not None]
    after += [str(each.compile(dialect=dialect)) for each in made if isinstance(each, DDL)]
    after += _extra_indexes(dialect)
    version = schema.alembic_version_trackplane.name
    after.append(f"INSERT INTO {version} (version_num) VALUES ('{TRACKPLANE_HEAD}')")  # noqa: S608 - our own names
    return NativeSchema(before_rows=tuple(before), after_rows=tuple(after))


def _made(dialect: Dialect) -> list[ExecutableDDLElement]:
    """What SQLAlchemy would send, which knows the indexes that one engine alone has."""
    made: list[ExecutableDDLElement] = []

    def note(statement: ExecutableDDLElement, *_parameters: object, **_options: object) -> None:
        made.append(statement)

    engine = create_mock_engine(URL.create(f"{dialect.name}+{dialect.driver}"), note)
    for metadata in (schema.metadata, schema.own_metadata, schema.version_metadata):
        metadata.create_all(engine, checkfirst=False)
    return made


def _place(key: ForeignKeyConstraint) -> tuple[str, Sequence[str]]:
    return key.table.name, key.column_keys


def _sequence(table: Table, column: "Column[int]") -> str:
    name, key = quoted(table.name), quoted(column.name)
    return (
        f"SELECT setval(pg_get_serial_sequence('{name}', '{column.name}'),"  # noqa: S608 - our own names
        f" COALESCE(max({key}), 1), max({key}) IS NOT NULL) FROM {name}"
    )


def _extra_indexes(dialect: Dialect) -> Iterator[str]:
    # Frozen history, and the only place that says what they are. It needs Alembic, which takes long to load.
    from tracking_server.database.migrations.trackplane.versions import r0001_extra_indexes as made

    in_order = made.IN_POSTGRESQL if dialect.name == "postgresql" else {}
    for name, table, columns in made.INDEXES:
        yield f"CREATE INDEX {name} ON {table} ({', '.join(str(in_order.get(each, each)) for each in columns)})"
