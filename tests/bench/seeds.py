"""What every database holds before the first measurement: the same rows for every server, at MLflow's own head.

Ours gets the extra indexes of Trackplane on top, as any database that it takes over.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import Table, insert
from sqlalchemy.engine import Connection

from tracking_server.database import schema
from tracking_server.database.migrations import mlflow
from tracking_server.database.transactions import Database

if TYPE_CHECKING:
    import psycopg

SEARCHED, SCRATCH, DELETED, WITH_POINTS = 1, 2, 3, 4
"""The ids of experiments."""
_FIRST_SMALL: Final = 10
"""The id of the first of many experiments that hold nothing."""
NOW: Final = 1_790_000_000_000
PARAM_VALUES: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    runs: int
    """Those that are searched, with 20 params, 20 metrics and 8 tags each."""
    scratch_runs: int
    experiments: int
    deleted_runs: int
    points: int
    """Of the one long history; of each of the twenty short ones a hundredth of it."""
    files: int
    transfer_bytes: int
    upload_bytes: int
    seconds: float
    """How long one server is under load at a time."""
    rounds: int


SCALES: Final = {
    "full": Scale(
        runs=10_000,
        scratch_runs=4_000,
        experiments=1_000,
        deleted_runs=1_000,
        points=100_000,
        files=2_000,
        transfer_bytes=256 << 20,
        upload_bytes=2 << 30,
        seconds=2.0,
        rounds=3,
    ),
    "small": Scale(
        runs=150,
        scratch_runs=500,
        experiments=50,
        deleted_runs=20,
        points=2_000,
        files=50,
        transfer_bytes=4 << 20,
        upload_bytes=16 << 20,
        seconds=0.2,
        rounds=1,
    ),
}


def searched_run(number: int) -> str:
    return f"a{number:031x}"


def scratch_run(number: int) -> str:
    return f"b{number:031x}"


def deleted_run(number: int) -> str:
    return f"c{number:031x}"


def run_with_points(number: int) -> str:
    """Number 0 has the long history; 1 to 20 have short ones."""
    return f"d{number:031x}"


def value_of(run: int, key: int) -> float:
    return (run * 7919 + key * 104_729) % 1000 / 1000


def matches_filter(run: int) -> bool:
    """Of `metrics.m0 > 0.5 and params.p0 = 'v3'`."""
    return value_of(run, 0) > 0.5 and run % PARAM_VALUES == 3


def seed(database: Database, scale: Scale) -> None:
    """An empty database, filled."""
    with database.engine.begin() as connection:
        schema.metadata.create_all(connection)
        schema.alembic_version.create(connection)
        connection.execute(insert(schema.workspaces).values(name="default", description=""))
        connection.execute(insert(schema.alembic_version).values(version_num=mlflow.HEAD))
        if database.dialect == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # the rows are known to fit
        for table, columns, rows in _tables(scale):
            _fill(connection, table, columns, rows)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if database.dialect == "sqlite" else "VACUUM ANALYZE")
        if database.dialect == "postgresql":
            connection.exec_driver_sql("SELECT setval('experiments_experiment_id_seq', 1000000)")
            connection.exec_driver_sql("CHECKPOINT")


_Rows = Iterator[tuple[object, ...]]


def _fill(connection: Connection, table: Table, columns: Sequence[str], rows: _Rows) -> None:
    names = ", ".join(columns)
    if connection.dialect.name == "postgresql":
        cursor = cast("psycopg.Cursor[Any]", connection.connection.cursor())
        with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)
        return
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' * len(columns))})"
    while chunk := list(itertools.islice(rows, 50_000)):
        connection.exec_driver_sql(statement, cast(Any, chunk))


def _tables(scale: Scale) -> Iterator[tuple[Table, Sequence[str], _Rows]]:
    holders = [(searched_run, scale.runs), (deleted_run, scale.deleted_runs)]
    of_runs = [(name(number), number) for name, count in holders for number in range(count)]
    yield (
        schema.experiments,
        ("experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time"),
        _experiments(scale),
    )
    yield (
        schema.experiment_tags,
        ("experiment_id", "key", "value"),
        ((number, f"t{key}", "a value") for number in _small(scale) for key in range(3)),
    )
    yield (
        schema.runs,
        (
            *("run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status", "start_time"),
            *("end_time", "source_version", "lifecycle_stage", "artifact_uri", "experiment_id", "deleted_time"),
        ),
        _runs(scale),
    )
    yield (
        schema.params,
        ("run_uuid", "key", "value"),
        ((run, f"p{key}", f"v{(number + key) % PARAM_VALUES}") for run, number in of_runs for key in range(20)),
    )
    yield (
        schema.tags,
        ("run_uuid", "key", "value"),
        ((run, f"t{key}" if key else "mlflow.runName", f"run-{number}") for run, number in of_runs for key in range(8)),
    )
    yield (
        schema.metrics,
        ("run_uuid", "key", "value", "timestamp", "step", "is_nan"),
        itertools.chain(
            ((run, f"m{key}", value_of(number, key), NOW, 0, 0) for run, number in of_runs for key in range(20)),
            (
                (run_with_points(number), "loss", value_of(step, 1), NOW + step, step, 0)
                for number in range(21)
                for step in range(scale.points // (100 if number else 1))
            ),
        ),
    )
    yield (
        schema.latest_metrics,
        ("run_uuid", "key", "value", "timestamp", "step", "is_nan"),
        ((run, f"m{key}", value_of(number, key), NOW, 0, False) for run, number in of_runs for key in range(20)),
    )


def _small(scale: Scale) -> range:
    return range(_FIRST_SMALL, _FIRST_SMALL + scale.experiments)


def _experiments(scale: Scale) -> _Rows:
    named = {0: "Default", SEARCHED: "searched", SCRATCH: "scratch", DELETED: "deleted", WITH_POINTS: "points"}
    for number in (*named, *_small(scale)):
        name = named.get(number, f"experiment {number}")
        yield number, name, f"mlflow-artifacts:/{number}", "active", NOW + number, NOW + number


def _runs(scale: Scale) -> _Rows:
    kinds = [
        (searched_run, scale.runs, SEARCHED),
        (scratch_run, scale.scratch_runs, SCRATCH),
        (deleted_run, scale.deleted_runs, DELETED),
        (run_with_points, 21, WITH_POINTS),
    ]
    for name, count, experiment in kinds:
        is_deleted = experiment == DELETED
        for number in range(count):
            run = name(number)
            yield (
                *(run, f"run-{number}", "UNKNOWN", "", "", "somebody"),
                *("RUNNING" if experiment == SCRATCH else "FINISHED", NOW + number * 1000, NOW + number * 1000 + 500),
                *("", "deleted" if is_deleted else "active", f"mlflow-artifacts:/{experiment}/{run}/artifacts"),
                *(experiment, NOW if is_deleted else None),
            )
