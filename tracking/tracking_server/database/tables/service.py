"""What the service itself keeps: workspaces, jobs and their locks."""

from typing import Any

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypedColumns,
    event,
)

from tracking_server.database.tables.metadata import DOUBLE, metadata


class WorkspacesColumns(TypedColumns):
    name: Named[str] = Column(String(63))
    description: Named[str | None] = Column(Text)
    default_artifact_root: Named[str | None] = Column(Text)
    trace_archival_location: Named[str | None] = Column(Text)
    trace_archival_retention: Named[str | None] = Column(String(32))


workspaces = Table(
    "workspaces",
    metadata,
    WorkspacesColumns,
    PrimaryKeyConstraint("name", name="workspaces_pk"),
)


class JobsColumns(TypedColumns):
    id: Named[str] = Column(String(36))
    creation_time: Named[int] = Column(BigInteger)
    job_name: Named[str] = Column(String(500))
    params: Named[str] = Column(Text)
    timeout: Named[float | None] = Column(DOUBLE)
    status: Named[int] = Column(Integer)
    result: Named[str | None] = Column(Text)
    retry_count: Named[int] = Column(Integer)
    last_update_time: Named[int] = Column(BigInteger)
    workspace: Named[str] = Column(String(63), server_default="default")
    status_details: Named[Any] = Column(JSON, nullable=True)
    creator: Named[str | None] = Column(String(255))
    executor_backend: Named[str | None] = Column(String(255))
    lease_expires_at: Named[int | None] = Column(BigInteger)
    status_message: Named[str | None] = Column(Text)
    progress: Named[Any] = Column(JSON, nullable=True)
    progress_updated_at: Named[int | None] = Column(BigInteger)
    token_hash: Named[str | None] = Column(String(64))
    scoped_permissions: Named[Any] = Column(JSON, nullable=True)
    next_attempt_at: Named[int | None] = Column(BigInteger)


jobs = Table(
    "jobs",
    metadata,
    JobsColumns,
    PrimaryKeyConstraint("id", name="jobs_pk"),
    Index("index_jobs_name_status_creation_time", "job_name", "workspace", "status", "creation_time"),
    Index("index_jobs_status_lease_expires_at", "status", "lease_expires_at"),
)


# On MySQL and MariaDB one of MLflow's revisions changes the column's type and loses its NOT NULL.
event.listen(
    jobs, "after_create", DDL("ALTER TABLE jobs MODIFY job_name VARCHAR(500) NULL").execute_if(dialect="mysql")
)


class JobLocksColumns(TypedColumns):
    lock_key: Named[str] = Column(String(255))
    job_id: Named[str] = Column(String(36), ForeignKey("jobs.id", name="fk_job_locks_job_id", ondelete="CASCADE"))
    acquired_at: Named[int] = Column(BigInteger)


job_locks = Table(
    "job_locks",
    metadata,
    JobLocksColumns,
    PrimaryKeyConstraint("lock_key", name="job_locks_pk"),
    Index("index_job_locks_job_id", "job_id"),
)


class SchedulerLeasesColumns(TypedColumns):
    lease_key: Named[str] = Column(String(255))
    acquired_at: Named[int] = Column(BigInteger)
    ttl_seconds: Named[int] = Column(Integer)


scheduler_leases = Table(
    "scheduler_leases",
    metadata,
    SchedulerLeasesColumns,
    PrimaryKeyConstraint("lease_key", name="scheduler_leases_pk"),
)
