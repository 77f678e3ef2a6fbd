"""Rows as odd as a table takes them, in every table of a database of any revision. The same seed gives the same rows.

What the engine refuses is left out: the tables are asked, not known. Only where MLflow reads a text as something is
there a list of what it can be.
"""

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from sqlalchemy import Column, Connection, MetaData, Table, select
from sqlalchemy.dialects.mysql import TINYINT
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import JSON, BigInteger, Boolean, Float, Integer, LargeBinary, Numeric, String

EACH: Final = 12
"""Rows that a table is offered."""
WORDS: Final = ("", " ", "a", "A", "é", "Ключ ✓", "🚀🚀", 'it\'s "so"', "%s :x \\", "line\nline\t", "NaN", "null", "0")
INTEGERS: Final = (0, 1, -1, 7, 2**31 - 1, -(2**31))
LARGE: Final = (*INTEGERS, 2**53 + 1, 2**63 - 1, -(2**63), 1_577_836_800_000)
FLOATS: Final = (0.0, -0.0, 0.1, -1.5, 1e300, -1.7976931348623157e308, 5e-300, 3.0)
JSONS: Final = ("{}", "[]", "null", "1", "0.5", "true", '"text"', '{"a": {"b": [1, "é"]}}')
SPANS: Final = tuple(
    json.dumps({"name": "span", "attributes": attributes})
    for attributes in (
        {},
        {"mlflow.chat.tokenUsage": '{"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}'},
        {"mlflow.llm.cost": '{"input_cost": 0.1, "output_cost": 0.2, "total_cost": 0.3}'},
        {"mlflow.llm.model": '"gpt"', "mlflow.llm.provider": '"someone"'},
    )
)
VALUES: Final[Sequence[tuple[tuple[type[Any], ...], Sequence[Any]]]] = (
    ((Boolean, TINYINT), (True, False)),
    ((BigInteger,), LARGE),
    ((Integer,), INTEGERS),
    ((Float, Numeric), FLOATS),
    ((LargeBinary,), (b"", b"\x00\xff\x80")),
)
KEYS: Final = ("mlflow.traceName", "mlflow.trace.session", "mlflow.trace.user", "mlflow.trace.tokenUsage", "k")
TOKENS: Final = ('{"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}', "{}", "x", "session", "é")
KNOWN: Final[Mapping[tuple[str, str], Sequence[Any]]] = {
    ("runs", "status"): ("SCHEDULED", "RUNNING", "FINISHED", "FAILED", "KILLED"),
    ("runs", "source_type"): ("NOTEBOOK", "JOB", "LOCAL", "PROJECT", "UNKNOWN"),
    ("runs", "lifecycle_stage"): ("active", "deleted"),
    ("experiments", "lifecycle_stage"): ("active", "deleted"),
    ("metrics", "key"): ("k", "K", "tied", "é"),
    ("metrics", "step"): (0, 1, -(2**63), 2**63 - 1),
    ("metrics", "timestamp"): (0, 7),
    ("spans", "content"): SPANS,
    ("spans", "dimension_attributes"): ('{"mlflow.llm.model": "gpt"}', '{"mlflow.llm.provider": "p"}', "{}"),
    ("spans", "start_time_unix_nano"): (1_577_836_800_000_000_000, 0, 1),
    ("spans", "end_time_unix_nano"): (1_577_836_800_000_000_001, 2, None),
    ("span_metrics", "key"): ("input_tokens", "output_tokens", "total_tokens", "input_cost", "total_cost", "other"),
    ("trace_metrics", "key"): ("input_tokens", "output_tokens", "total_tokens", "other"),
    ("trace_tags", "key"): KEYS,
    ("trace_tags", "value"): TOKENS,
    ("trace_request_metadata", "key"): KEYS,
    ("trace_request_metadata", "value"): TOKENS,
    ("assessments", "value"): JSONS,
    ("assessments", "assessment_type"): ("feedback", "expectation", "issue"),
    ("jobs", "status"): (0, 1, 2, 3, 4),
    ("jobs", "creation_time"): (0, 1_577_836_800_000),  # the head writes the time at which it cancels
    ("jobs", "last_update_time"): (0, 1_577_836_800_000),
}


def insert_odd_rows(connection: Connection, seed: int) -> int:
    """How many were taken."""
    metadata = MetaData()
    metadata.reflect(connection)
    draw = Random(seed)
    taken = 0
    for table in metadata.sorted_tables:
        if not table.name.startswith("alembic_version"):
            taken += _fill(connection, table, draw)
    return taken


def _fill(connection: Connection, table: Table, draw: Random) -> int:
    parents = {
        key: connection.execute(select(*(element.column for element in key.elements)).limit(200)).all()
        for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.column_keys))
    }
    parents = {key: sorted(rows, key=repr) for key, rows in parents.items()}
    taken = 0
    for number in range(EACH):
        row = {column.name: _value(column, table, number, draw) for column in table.columns if column.computed is None}
        for key, rows in parents.items():
            if rows and not all(column.nullable and row[column.name] is None for column in key.columns):
                row.update(zip(key.column_keys, draw.choice(rows), strict=True))
        taken += _is_taken(connection, table, row)
    return taken


def _is_taken(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    try:
        with connection.begin_nested():
            connection.execute(table.insert(), dict(row))
    except (DBAPIError, OverflowError):
        return False
    return True


def _value(column: Column[Any], table: Table, number: int, draw: Random) -> Any:
    if column.nullable and draw.random() < 0.2:
        return None
    if (table.name, column.name) in KNOWN:
        return draw.choice(KNOWN[table.name, column.name])
    is_alone = [each.name for each in table.primary_key] == [column.name]
    kind: Any = column.type
    if is_alone:
        return 1_000_000 + number if isinstance(kind, Integer) else f"{table.name}-{number}"[-(kind.length or 99) :]
    if isinstance(kind, String):
        return _text(column.name, kind.length, draw)
    if isinstance(kind, JSON):
        return json.loads(draw.choice(JSONS))
    return draw.choice(next((values for kinds, values in VALUES if isinstance(kind, kinds)), (None,)))


def _text(name: str, length: int | None, draw: Random) -> str:
    if any(part in name for part in ("json", "metadata", "attributes", "inputs", "outputs", "expectations", "params")):
        return draw.choice(JSONS)
    longest = min(length or 70_000, 70_000)
    return draw.choice((*WORDS, "é" * longest, "x" * longest))[:longest]
