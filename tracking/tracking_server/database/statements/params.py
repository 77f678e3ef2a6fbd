"""Params of runs and of logged models: written once."""

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, select

from tracking_server.database.schema import logged_model_params, params
from tracking_server.database.statements.bulk_insert import BulkInsert, Prepared
from tracking_server.database.statements.lists import one_of
from tracking_server.entities.tags import Param

_RUN_PARAMS = BulkInsert([params.c.key, params.c.value], same=[params.c.run_uuid])

SELECT_OF_RUNS = select(params.c.run_uuid, params.c.key, params.c.value).where(one_of(params.c.run_uuid, "run_ids"))
SELECT_SOME_OF_RUN = select(params.c.key, params.c.value).where(
    params.c.run_uuid == bindparam("run_id"), one_of(params.c.key, "keys")
)
SELECT_OF_MODELS = select(
    logged_model_params.c.model_id, logged_model_params.c.param_key, logged_model_params.c.param_value
).where(one_of(logged_model_params.c.model_id, "model_ids"))
INSERT_OF_MODEL = logged_model_params.insert()


def insert_new_run_params(dialect: str, run_id: str, given: Iterable[Param]) -> Prepared:
    """Params that exist are left alone, whatever their value."""
    return _RUN_PARAMS.prepare(dialect, sorted((param.key, param.value) for param in given), run_uuid=run_id)


def insert_model_params(model_id: str, experiment_id: int, given: Sequence[Param]) -> Prepared:
    """A param that exists is an error of the database."""
    return Prepared(
        INSERT_OF_MODEL,
        [
            {"model_id": model_id, "experiment_id": experiment_id, "param_key": param.key, "param_value": param.value}
            for param in sorted(given, key=lambda param: param.key)
        ],
    )
