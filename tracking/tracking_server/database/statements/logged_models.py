"""Logged models: reading and changing single ones, and a plain search."""

from sqlalchemy import bindparam, insert, select, update

from tracking_server.database.schema import logged_models

COLUMNS = (
    logged_models.c.model_id,
    logged_models.c.experiment_id,
    logged_models.c.name,
    logged_models.c.artifact_location,
    logged_models.c.creation_timestamp_ms,
    logged_models.c.last_updated_timestamp_ms,
    logged_models.c.status,
    logged_models.c.lifecycle_stage,
    logged_models.c.model_type,
    logged_models.c.source_run_id,
    logged_models.c.status_message,
)
"""What `database.rows.logged_model` reads, in its order."""

SELECT = select(*COLUMNS).where(logged_models.c.model_id == bindparam("of_model"))
INSERT = insert(logged_models)
UPDATE_STATUS = (
    update(logged_models)
    .where(logged_models.c.model_id == bindparam("of_model"))
    .values(status=bindparam("new_status"), last_updated_timestamp_ms=bindparam("now"))
)
DELETE = (
    update(logged_models)
    .where(logged_models.c.model_id == bindparam("of_model"))
    .values(lifecycle_stage="deleted", last_updated_timestamp_ms=bindparam("now"))
)
