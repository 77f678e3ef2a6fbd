"""The way of rows into a database, in statements of many rows each; or nowhere, for a trial run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVarTuple

from sqlalchemy import Connection, Executable, Row, Select

from tracking_server.database.batches import batches
from tracking_server.database.statements.bulk_insert import BulkInsert

Ts = TypeVarTuple("Ts")
BATCH_ROWS: Final = 5000


class Sink:
    """`connection`: None where there is no database yet. `is_dry`: it is only read."""

    def __init__(self, connection: Connection | None, dialect: str, *, is_dry: bool = False) -> None:
        self._connection = connection
        self._dialect = dialect
        self._is_dry = is_dry
        self._queues: dict[BulkInsert, list[tuple[object, ...]]] = {}

    def add(self, bulk: BulkInsert, rows: Iterable[tuple[object, ...]], **same: object) -> None:
        for batch in batches(rows, BATCH_ROWS):
            if self._connection is not None and not self._is_dry:
                self._connection.execute(*bulk.prepare(self._dialect, batch, **same))

    def queue(self, bulk: BulkInsert, row: tuple[object, ...]) -> None:
        """Waits for others of its kind, until the queue is full or `flush`."""
        queue = self._queues.setdefault(bulk, [])
        queue.append(row)
        if len(queue) >= BATCH_ROWS:
            self.add(bulk, queue)
            queue.clear()

    def flush(self) -> None:
        for bulk, queue in self._queues.items():
            self.add(bulk, queue)
            queue.clear()

    def execute(self, statement: Executable, parameters: Mapping[str, object]) -> None:
        if self._connection is not None and not self._is_dry:
            self._connection.execute(statement, parameters)

    def rows(self, statement: Select[*Ts], parameters: Mapping[str, object]) -> Sequence[Row[*Ts]]:
        """None where there is no database yet."""
        return [] if self._connection is None else self._connection.execute(statement, parameters).all()

    @property
    def is_dry(self) -> bool:
        return self._is_dry
