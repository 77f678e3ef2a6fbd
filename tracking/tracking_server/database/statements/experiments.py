"""Experiments: reading and changing single ones. Searching them is `experiment_search`."""

from sqlalchemy import bindparam, insert, select, update

from tracking_server.database.schema import experiments
from tracking_server.entities.experiments import DEFAULT_WORKSPACE

COLUMNS = (
    experiments.c.experiment_id,
    experiments.c.name,
    experiments.c.artifact_location,
    experiments.c.lifecycle_stage,
    experiments.c.last_update_time,
    experiments.c.creation_time,
    experiments.c.workspace,
)
"""What `database.rows.experiment` reads, in its order."""

SELECT_BY_ID = select(*COLUMNS).where(experiments.c.experiment_id == bindparam("experiment_id"))
SELECT_BY_NAME = select(*COLUMNS).where(
    experiments.c.workspace == DEFAULT_WORKSPACE, experiments.c.name == bindparam("name")
)
INSERT = insert(experiments)
UPDATE_LOCATION = (
    update(experiments)
    .where(experiments.c.experiment_id == bindparam("of_experiment"))
    .values(artifact_location=bindparam("new_location"))
)
UPDATE_NAME = (
    update(experiments)
    .where(experiments.c.experiment_id == bindparam("of_experiment"))
    .values(name=bindparam("new_name"), last_update_time=bindparam("now"))
)
UPDATE_STAGE = (
    update(experiments)
    .where(
        experiments.c.experiment_id == bindparam("of_experiment"),
        experiments.c.lifecycle_stage == bindparam("old_stage"),
    )
    .values(lifecycle_stage=bindparam("new_stage"), last_update_time=bindparam("now"))
)
"""Changes no row when the experiment is missing or in another stage."""
