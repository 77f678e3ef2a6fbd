"""The user of a run becomes a tag.

MLflow's own step looks at one run, the first that the database answers with, and leaves the others as they are. So does
this one, because the result is to be the same; who started a run stays in the column all the while.
"""

from alembic import op
from sqlalchemy import column, exists, insert, select, table

revision = "90e64c465722"
down_revision = "451aebb31d03"


runs = table("runs", column("run_uuid"), column("user_id"))
tags = table("tags", column("key"), column("value"), column("run_uuid"))
KEY = "mlflow.user"
WIDTH = 250


def upgrade() -> None:
    connection = op.get_bind()
    first = connection.execute(select(runs.c.run_uuid, runs.c.user_id).limit(1)).one_or_none()
    if first is None or not first.user_id:
        return
    if not connection.scalar(select(exists().where(tags.c.key == KEY, tags.c.run_uuid == first.run_uuid))):
        connection.execute(insert(tags).values(key=KEY, value=_cut(first.user_id), run_uuid=first.run_uuid))


def _cut(user: str) -> str:
    """The tag is narrower than the column; SQLite takes it all the same, as MLflow does there."""
    return user if op.get_context().dialect.name == "sqlite" else user[:WIDTH]
