"""What the schema of a PostgreSQL database is: MLflow's tables and ours, and the statements that make them again.

The statements name no schema, so they make the tables wherever the session would. Only what such tables have is known
here: columns with defaults, sequences or computed values, constraints and indexes. Privileges, comments, views and
triggers of others are not.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, text

from tracking_server.database.archive.format import Column, Kind, NativeSchema
from tracking_server.database.archive.names import StoredTable, is_ours, quoted

_KINDS: Final[Mapping[str, Kind]] = {
    "int2": "integer",
    "int4": "integer",
    "int8": "integer",
    "float4": "float",
    "float8": "float",
    "bool": "boolean",
    "bytea": "binary",
    "json": "json",
    "jsonb": "json",
}
"""By the name of the type; the rest is archived in the spelling of PostgreSQL."""

_TABLES: Final = text("""
    SELECT oid, relname FROM pg_class
    WHERE relkind = 'r' AND relnamespace = to_regnamespace(quote_ident(current_schema())) ORDER BY relname
""")
_COLUMNS: Final = text("""
    SELECT attrelid, attname, typname, format_type(atttypid, atttypmod) AS declared, attnotnull,
        attidentity::text AS identity, attgenerated::text AS generated, pg_get_expr(adbin, adrelid, true) AS expression
    FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = ANY(:tables) AND attnum > 0 AND NOT attisdropped ORDER BY attrelid, attnum
""")
_SEQUENCES: Final = text("""
    SELECT sequence.relname AS name, format_type(seqtypid, NULL) AS declared, deptype::text AS dependency,
        owner.relname AS owner, attname, pg_sequence_last_value(sequence.oid) AS last_value
    FROM pg_depend JOIN pg_class sequence ON sequence.oid = objid AND sequence.relkind = 'S'
    JOIN pg_sequence ON seqrelid = sequence.oid JOIN pg_class owner ON owner.oid = refobjid
    JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
    WHERE refobjid = ANY(:tables) AND deptype IN ('a', 'i') ORDER BY sequence.relname
""")
_CONSTRAINTS: Final = text("""
    SELECT relname, conname, pg_get_constraintdef(pg_constraint.oid, true) AS definition
    FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
    WHERE conrelid = ANY(:tables) AND contype IN ('p', 'u', 'c', 'f')
    ORDER BY contype = 'f', contype = 'c', relname, conname
""")
_INDEXES: Final = text("""
    SELECT pg_get_indexdef(indexrelid, 0, true) FROM pg_index
    WHERE indrelid = ANY(:tables) AND indisvalid
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)
    ORDER BY 1
""")


_TRIGGERS: Final = text("""
    SELECT replace(pg_get_functiondef(tgfoid), format('%I.%I', nspname, proname), quote_ident(proname)),
        pg_get_triggerdef(pg_trigger.oid, true)
    FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid JOIN pg_namespace ON pg_namespace.oid = pronamespace
    WHERE tgrelid = ANY(:tables) AND NOT tgisinternal AND tgname = 'prevent_secrets_aad_mutation'
""")
"""The one trigger that MLflow makes, and its function."""


def postgresql_tables(connection: Connection) -> Sequence[StoredTable]:
    tables = _ours(connection)
    columns: dict[int, list[Column]] = {}
    for row in connection.execute(_COLUMNS, {"tables": list(tables)}).mappings():
        if not row["generated"]:
            columns.setdefault(row["attrelid"], []).append(Column(row["attname"], _KINDS.get(row["typname"], "text")))
    return [StoredTable(name=name, columns=columns.get(oid, [])) for oid, name in tables.items()]


def postgresql_left_out(connection: Connection) -> Sequence[str]:
    return [name for _, name in connection.execute(_TABLES) if not is_ours(name)]


def postgresql_native_schema(connection: Connection) -> NativeSchema:
    tables = _ours(connection)
    parameters = {"tables": list(tables)}
    columns: dict[int, list[str]] = {}
    for row in connection.execute(_COLUMNS, parameters).mappings():
        columns.setdefault(row["attrelid"], []).append(_column(row))
    sequences = connection.execute(_SEQUENCES, parameters).mappings().all()
    own = [row for row in sequences if row["dependency"] == "a"]
    before = [f"CREATE SEQUENCE {quoted(row['name'])} AS {row['declared']}" for row in own]
    before += [f"CREATE TABLE {quoted(name)} ({', '.join(columns.get(oid, []))})" for oid, name in tables.items()]
    before += [
        f"ALTER SEQUENCE {quoted(row['name'])} OWNED BY {quoted(row['owner'])}.{quoted(row['attname'])}" for row in own
    ]
    after = [
        f"ALTER TABLE {quoted(row.relname)} ADD CONSTRAINT {quoted(row.conname)} {row.definition}"
        for row in connection.execute(_CONSTRAINTS, parameters)
    ]
    after += connection.execute(_INDEXES, parameters).scalars()
    after += [statement for row in connection.execute(_TRIGGERS, parameters) for statement in row]
    after += [
        f"SELECT setval(pg_get_serial_sequence('{quoted(row['owner'])}', '{row['attname']}'), {row['last_value']})"
        for row in sequences
        if row["last_value"] is not None
    ]
    return NativeSchema(before_rows=tuple(before), after_rows=tuple(after))


def _ours(connection: Connection) -> Mapping[int, str]:
    return {int(oid): str(name) for oid, name in connection.execute(_TABLES) if is_ours(name)}


def _column(row: Mapping[Any, Any]) -> str:
    parts = [quoted(row["attname"]), row["declared"]]
    match row:
        case {"identity": "a" | "d" as identity}:
            parts.append(f"GENERATED {'ALWAYS' if identity == 'a' else 'BY DEFAULT'} AS IDENTITY")
        case {"generated": "s", "expression": expression}:
            parts.append(f"GENERATED ALWAYS AS ({expression}) STORED")
        case {"expression": str() as expression}:
            parts.append(f"DEFAULT {expression}")
        case _:
            pass
    if row["attnotnull"]:
        parts.append("NOT NULL")
    return " ".join(parts)
