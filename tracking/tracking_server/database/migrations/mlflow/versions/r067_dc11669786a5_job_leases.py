"""Jobs that are leased by whoever runs them. The unfinished ones belong to nobody and are cancelled."""

import time
from typing import Final

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    String,
    Text,
    column,
    table,
)

from tracking_server.database.migrations.mlflow.operations import add_column, create_index, create_table

revision = "dc11669786a5"
down_revision = "75868b020152"

PENDING: Final = 0
RUNNING: Final = 1
CANCELED: Final = 5


def upgrade() -> None:
    create_table(
        "scheduler_leases",
        Column("lease_key", String(255), nullable=False),
        Column("acquired_at", BigInteger(), nullable=False),
        Column("ttl_seconds", Integer(), nullable=False),
        PrimaryKeyConstraint("lease_key", name="scheduler_leases_pk"),
    )
    create_table(
        "job_locks",
        Column("lock_key", String(255), nullable=False),
        Column("job_id", String(36), nullable=False),
        Column("acquired_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("lock_key", name="job_locks_pk"),
        ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_locks_job_id", ondelete="CASCADE"),
    )
    create_index("index_job_locks_job_id", "job_locks", ["job_id"])
    add_column("jobs", Column("executor_backend", String(255), nullable=True))
    add_column("jobs", Column("lease_expires_at", BigInteger(), nullable=True))
    add_column("jobs", Column("status_message", Text(), nullable=True))
    add_column("jobs", Column("progress", JSON(), nullable=True))
    add_column("jobs", Column("progress_updated_at", BigInteger(), nullable=True))
    add_column("jobs", Column("token_hash", String(64), nullable=True))
    add_column("jobs", Column("scoped_permissions", JSON(), nullable=True))
    add_column("jobs", Column("next_attempt_at", BigInteger(), nullable=True))
    create_index("index_jobs_status_lease_expires_at", "jobs", ["status", "lease_expires_at"])
    _cancel_unfinished()


def _cancel_unfinished() -> None:
    jobs = table("jobs", column("status", Integer()), column("last_update_time", BigInteger()))
    unfinished = jobs.c.status.in_([PENDING, RUNNING])
    op.get_bind().execute(
        jobs.update().where(unfinished).values(status=CANCELED, last_update_time=int(time.time() * 1000))
    )
