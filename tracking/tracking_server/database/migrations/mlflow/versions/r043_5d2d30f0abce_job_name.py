"""A job is known by a name, no longer by that of a function."""

from sqlalchemy import String

from tracking_server.database.migrations.mlflow.operations import create_index, drop_index, rebuild

revision = "5d2d30f0abce"
down_revision = "b7c8d9e0f1a2"


def upgrade() -> None:
    """On MySQL the column may be NULL from here on: MLflow does not tell it otherwise, and neither do we."""
    drop_index("index_jobs_function_status_creation_time", "jobs")
    with rebuild("jobs") as jobs:
        jobs.alter_column("function_fullname", new_column_name="job_name", existing_type=String(500))
    create_index("index_jobs_name_status_creation_time", "jobs", ["job_name", "status", "creation_time"])
