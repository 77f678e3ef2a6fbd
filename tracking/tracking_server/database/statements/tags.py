"""Tags of runs, of experiments and of logged models: written over when they exist."""

from collections.abc import Iterable

from sqlalchemy import Delete, bindparam, delete, select

from tracking_server.database.schema import experiment_tags, logged_model_tags, tags
from tracking_server.database.statements.bulk_insert import BulkInsert, Prepared
from tracking_server.database.statements.lists import one_of
from tracking_server.entities.tags import Tag

_RUN_TAGS = BulkInsert([tags.c.key, tags.c.value], same=[tags.c.run_uuid], replace=[tags.c.value])
_EXPERIMENT_TAGS = BulkInsert(
    [experiment_tags.c.key, experiment_tags.c.value],
    same=[experiment_tags.c.experiment_id],
    replace=[experiment_tags.c.value],
)
_MODEL_TAGS = BulkInsert(
    [logged_model_tags.c.tag_key, logged_model_tags.c.tag_value],
    same=[logged_model_tags.c.model_id, logged_model_tags.c.experiment_id],
    replace=[logged_model_tags.c.tag_value],
)

SELECT_OF_RUNS = select(tags.c.run_uuid, tags.c.key, tags.c.value).where(one_of(tags.c.run_uuid, "run_ids"))
SELECT_ONE_OF_RUN = select(tags.c.value).where(
    tags.c.run_uuid == bindparam("run_id"), tags.c.key == bindparam("tag_key")
)
SELECT_OF_EXPERIMENTS = select(experiment_tags.c.experiment_id, experiment_tags.c.key, experiment_tags.c.value).where(
    one_of(experiment_tags.c.experiment_id, "experiment_ids")
)
SELECT_OF_MODELS = select(
    logged_model_tags.c.model_id, logged_model_tags.c.tag_key, logged_model_tags.c.tag_value
).where(one_of(logged_model_tags.c.model_id, "model_ids"))
DELETE_FROM_RUN: Delete = delete(tags).where(tags.c.run_uuid == bindparam("of_run"), tags.c.key == bindparam("tag_key"))
DELETE_FROM_EXPERIMENT: Delete = delete(experiment_tags).where(
    experiment_tags.c.experiment_id == bindparam("of_experiment"), experiment_tags.c.key == bindparam("tag_key")
)
DELETE_FROM_MODEL: Delete = delete(logged_model_tags).where(
    logged_model_tags.c.model_id == bindparam("of_model"), logged_model_tags.c.tag_key == bindparam("key")
)


def upsert_run_tags(dialect: str, run_id: str, given: Iterable[Tag]) -> Prepared:
    return _RUN_TAGS.prepare(dialect, _last_wins(given), run_uuid=run_id)


def upsert_experiment_tags(dialect: str, experiment_id: int, given: Iterable[Tag]) -> Prepared:
    return _EXPERIMENT_TAGS.prepare(dialect, _last_wins(given), experiment_id=experiment_id)


def upsert_model_tags(dialect: str, model_id: str, experiment_id: int, given: Iterable[Tag]) -> Prepared:
    return _MODEL_TAGS.prepare(dialect, _last_wins(given), model_id=model_id, experiment_id=experiment_id)


def _last_wins(given: Iterable[Tag]) -> list[tuple[str, str]]:
    """One row a key, sorted: all writers lock in one order."""
    return sorted({tag.key: tag.value for tag in given}.items())
