"""What is logged to a run: metrics, params, tags, and all of them in one batch. Deleted runs take nothing."""

import json
from collections.abc import Mapping, Sequence
from typing import cast

import msgspec
from sqlalchemy import Connection

from tracking_server.database.statements import metrics as metric_statements
from tracking_server.database.statements import params as param_statements
from tracking_server.database.statements import runs as run_statements
from tracking_server.database.statements import tags as tag_statements
from tracking_server.database.statements.bulk_insert import COUNTS_NEW_ROWS
from tracking_server.entities.metrics import LogMetric, NewMetric
from tracking_server.entities.runs import DeleteTag, LogBatch, LogModel, LogParam, SetTag
from tracking_server.entities.shapes import Empty
from tracking_server.entities.tags import LOG_MODEL_HISTORY_TAG, RUN_NAME_TAG, Param, Tag
from tracking_server.errors import DoesNotExist, InvalidParameter
from tracking_server.services import limits
from tracking_server.services.context import Context
from tracking_server.services.run_reading import experiment_of_active_run, require_active_run

_FIELDS_OF_A_MODEL = ("artifact_path", "flavors", "utc_time_created", "run_id")


def log_metric(request: LogMetric, context: Context) -> Empty:
    """The same point twice is stored once."""
    metric = NewMetric(
        key=request.key,
        value=request.value,
        timestamp=request.timestamp,
        step=request.step,
        dataset_name=request.dataset_name,
        dataset_digest=request.dataset_digest,
        model_id=request.model_id,
    )
    limits.check_metric(metric)
    _log(LogBatch(run_id=request.run_id, metrics=(metric,)), context)
    return Empty()


def log_param(request: LogParam, context: Context) -> Empty:
    """Written once: the same value again is fine, another one is refused."""
    param = limits.fitting_param(Param(request.key, request.value), truncate=context.truncate_long_values)
    _log(LogBatch(run_id=request.run_id, params=(param,)), context)
    return Empty()


def set_tag(request: SetTag, context: Context) -> Empty:
    tag = limits.fitting_run_tag(Tag(request.key, request.value), truncate=context.truncate_long_values)
    _log(LogBatch(run_id=request.run_id, tags=(tag,)), context)
    return Empty()


def log_batch(request: LogBatch, context: Context) -> Empty:
    """All of it is written, in one transaction, or nothing is."""
    _log(limits.fitting_batch(request, truncate=context.truncate_long_values), context)
    return Empty()


def delete_tag(request: DeleteTag, context: Context) -> Empty:
    def write(connection: Connection) -> None:
        require_active_run(connection, request.run_id)
        deleted = connection.execute(tag_statements.DELETE_FROM_RUN, {"of_run": request.run_id, "tag_key": request.key})
        if not deleted.rowcount:
            raise DoesNotExist(f"No tag with name: {request.key} in run with id {request.run_id}")

    context.database.retrying(write)
    return Empty()


def log_model(request: LogModel, context: Context) -> Empty:
    """Adds the model to the JSON list in the tag `mlflow.log-model.history`."""
    model = _parse_model(request.model_json)

    def write(connection: Connection) -> None:
        require_active_run(connection, request.run_id)
        known = connection.execute(
            tag_statements.SELECT_ONE_OF_RUN, {"run_id": request.run_id, "tag_key": LOG_MODEL_HISTORY_TAG}
        ).scalar_one_or_none()
        history = [*_parse_history(known), _entry_of_history(model)]
        tag = Tag(LOG_MODEL_HISTORY_TAG, json.dumps(history))
        limits.check_length(tag.value, limits.MAX_TAG_VALUE, LOG_MODEL_HISTORY_TAG)
        connection.execute(*tag_statements.upsert_run_tags(context.database.dialect, request.run_id, [tag]))

    context.database.retrying(write)
    return Empty()


def _log(batch: LogBatch, context: Context) -> None:
    """Params, metrics, tags, always in this order, and each sorted by key: writers do not lock crosswise.

    A run keeps its name: a tag that would empty it is passed over.
    """
    dialect = context.database.dialect
    tags = [tag for tag in batch.tags if tag.value or tag.key != RUN_NAME_TAG]
    of_models = [metric for metric in batch.metrics if metric.model_id]
    if dialect == "postgresql" and batch.metrics and not (batch.params or batch.tags or of_models):
        _log_points_alone(batch, context)
        return

    def write(connection: Connection) -> None:
        experiment_id = require_active_run(connection, batch.run_id)
        if batch.params:
            _write_params(connection, dialect, batch.run_id, batch.params)
        if batch.metrics:
            for prepared in metric_statements.insert_points(dialect, batch.run_id, batch.metrics):
                connection.execute(*prepared)
        if of_models:
            connection.execute(*metric_statements.insert_model_points(dialect, batch.run_id, experiment_id, of_models))
        if tags:
            connection.execute(*tag_statements.upsert_run_tags(dialect, batch.run_id, tags))
        for tag in reversed(tags):
            if tag.key == RUN_NAME_TAG:
                connection.execute(run_statements.RENAME, {"of_run": batch.run_id, "new_name": tag.value})
                break

    context.database.retrying(write)


def _log_points_alone(batch: LogBatch, context: Context) -> None:
    (prepared,) = metric_statements.insert_points(context.database.dialect, batch.run_id, batch.metrics)

    def write(connection: Connection) -> None:
        experiment_of_active_run(batch.run_id, connection.execute(*prepared).one_or_none())

    context.database.retrying(write, is_one_statement=True)


def _write_params(connection: Connection, dialect: str, run_id: str, given: Sequence[Param]) -> None:
    written = connection.execute(*param_statements.insert_new_run_params(dialect, run_id, given))
    if dialect in COUNTS_NEW_ROWS and written.rowcount == len(given):
        return
    some = {"run_id": run_id, "keys": [param.key for param in given]}
    stored = dict(connection.execute(param_statements.SELECT_SOME_OF_RUN, some).all())
    changed = [param for param in given if stored.get(param.key, param.value) != param.value]
    if changed:
        raise _changed_params(run_id, [(param.key, stored[param.key], param.value) for param in changed], len(given))


def _changed_params(run_id: str, changed: Sequence[tuple[str, str, str]], given: int) -> InvalidParameter:
    """MLflow's sentences, which differ for one param and for several."""
    told = "Changing param values is not allowed."
    if given == 1:
        key, old, new = map(limits.shown, changed[0])
        return InvalidParameter(
            f"{told} Param with key={key} was already logged with value={old} for run ID='{run_id}'. Attempted logging"
            f" new value {new}."
        )
    described = ", ".join(
        f"{{'key': {limits.shown(key)}, 'old_value': {limits.shown(old)}, 'new_value': {limits.shown(new)}}}"
        for key, old, new in changed
    )
    return InvalidParameter(f"{told} Params were already logged='[{described}]' for run ID='{run_id}'.")


def _parse_model(text: str) -> dict[str, object]:
    try:
        model = msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.MsgspecError, RecursionError):
        raise InvalidParameter("Malformed model info: 'model_json' is not a JSON object.") from None
    missing = [name for name in _FIELDS_OF_A_MODEL if name not in model]
    if missing:
        raise InvalidParameter(f"Model json is missing mandatory fields: {missing}.")
    return model


def _entry_of_history(model: Mapping[str, object]) -> dict[str, object]:
    """What the history says of a model: which, where, when and with which flavors, without their configuration."""
    flavors = model["flavors"]
    if flavors is None:
        flavors = dict[str, object]()
    elif not isinstance(flavors, dict):
        raise InvalidParameter(
            f"Malformed model info: 'flavors' is not a JSON object but {limits.shown(repr(flavors))}."
        )
    run_id = model["run_id"]
    return {
        **({} if run_id is None else {"run_id": run_id}),
        "artifact_path": model["artifact_path"],
        "utc_time_created": str(model["utc_time_created"]),
        "model_uuid": model.get("model_uuid"),
        "flavors": {name: _without_config(flavor) for name, flavor in cast("dict[str, object]", flavors).items()},
    }


def _without_config(flavor: object) -> object:
    if not isinstance(flavor, dict):
        return flavor
    return {key: value for key, value in cast("dict[str, object]", flavor).items() if key != "config"}


def _parse_history(text: str | None) -> list[object]:
    """What is no list was put there by somebody's set-tag; it is not ours to throw away."""
    if not text:
        return []
    try:
        return msgspec.json.decode(text, type=list[object])
    except (msgspec.MsgspecError, RecursionError):
        raise InvalidParameter(
            f"The tag '{LOG_MODEL_HISTORY_TAG}' of the run does not hold a JSON list; delete the tag first."
        ) from None
