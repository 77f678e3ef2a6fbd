"""Logged models: create, finish, read, search, tag and delete them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from tracking_server.database import rows
from tracking_server.database.fetching import fetch_rows
from tracking_server.database.statements import logged_models as statements
from tracking_server.database.statements import metrics as metric_statements
from tracking_server.database.statements import params as param_statements
from tracking_server.database.statements import tags as tag_statements
from tracking_server.database.statements.logged_model_search import select_logged_model_page
from tracking_server.entities.lifecycle import LifecycleStage
from tracking_server.entities.logged_models import (
    CreateLoggedModel,
    DeleteLoggedModel,
    DeleteLoggedModelTag,
    FinalizeLoggedModel,
    FoundLoggedModel,
    FoundLoggedModels,
    GetLoggedModel,
    LoggedModel,
    LoggedModelStatus,
    LogLoggedModelParams,
    SearchLoggedModels,
    SetLoggedModelTags,
)
from tracking_server.entities.shapes import Empty
from tracking_server.errors import DoesNotExist, InvalidParameter
from tracking_server.services import limits, locations
from tracking_server.services.context import Context
from tracking_server.services.experiment_ids import experiment_key, parse_experiment_id
from tracking_server.services.experiments import require_active_experiment

_NUMBERS = {status: number for number, status in enumerate(LoggedModelStatus)}


def create_logged_model(request: CreateLoggedModel, context: Context) -> FoundLoggedModel:
    """A model without a name gets a random one. It is pending until it is finalized."""
    key = experiment_key(request.experiment_id, context.database.dialect)
    limits.check_model_name(request.name)
    model_id = f"m-{context.new_id()}"
    name = request.name or context.new_name()
    now = context.now()

    def write(connection: Connection) -> LoggedModel:
        location = require_active_experiment(connection, key)
        row = {
            "model_id": model_id,
            "experiment_id": key,
            "name": name,
            "artifact_location": locations.artifact_root_of_model(location, model_id),
            "creation_timestamp_ms": now,
            "last_updated_timestamp_ms": now,
            "status": _NUMBERS[LoggedModelStatus.PENDING],
            "lifecycle_stage": LifecycleStage.ACTIVE,
            "model_type": request.model_type,
            "source_run_id": request.source_run_id,
            "status_message": None,
        }
        connection.execute(statements.INSERT, row)
        if request.params:
            connection.execute(*param_statements.insert_model_params(model_id, key, request.params))
        if request.tags:
            connection.execute(*tag_statements.upsert_model_tags(context.database.dialect, model_id, key, request.tags))
        return rows.logged_model(tuple(row.values()), request.tags, request.params)

    return FoundLoggedModel(model=context.database.retrying(write))


def get_logged_model(request: GetLoggedModel, context: Context) -> FoundLoggedModel:
    with context.database.read() as connection:
        row = _fetch_row(connection, request.model_id)
        if row.lifecycle_stage != LifecycleStage.ACTIVE and not request.allow_deleted:
            raise _no_model(request.model_id)
        (model,) = _fetch_models(connection, [row])
    return FoundLoggedModel(model=model)


def finalize_logged_model(request: FinalizeLoggedModel, context: Context) -> FoundLoggedModel:
    """Any status may follow any other."""

    def write(connection: Connection) -> LoggedModel:
        connection.execute(
            statements.UPDATE_STATUS,
            {"of_model": request.model_id, "new_status": _NUMBERS[request.status], "now": context.now()},
        )
        (model,) = _fetch_models(connection, [_fetch_row(connection, request.model_id)])
        return model

    return FoundLoggedModel(model=context.database.retrying(write))


def delete_logged_model(request: DeleteLoggedModel, context: Context) -> Empty:
    """May be done twice."""

    def write(connection: Connection) -> None:
        deleted = connection.execute(statements.DELETE, {"of_model": request.model_id, "now": context.now()})
        if not deleted.rowcount:
            raise _no_model(request.model_id)

    context.database.retrying(write)
    return Empty()


def set_logged_model_tags(request: SetLoggedModelTags, context: Context) -> Empty:
    def write(connection: Connection) -> None:
        row = _fetch_row(connection, request.model_id)
        if request.tags:
            connection.execute(
                *tag_statements.upsert_model_tags(
                    context.database.dialect, request.model_id, row.experiment_id, request.tags
                )
            )

    context.database.retrying(write)
    return Empty()


def delete_logged_model_tag(request: DeleteLoggedModelTag, context: Context) -> Empty:
    def write(connection: Connection) -> None:
        _fetch_row(connection, request.model_id)
        deleted = connection.execute(
            tag_statements.DELETE_FROM_MODEL, {"of_model": request.model_id, "key": request.tag_key}
        )
        if not deleted.rowcount:
            raise DoesNotExist(f"No tag with key {request.tag_key!r} found for model with ID {request.model_id!r}.")

    context.database.retrying(write)
    return Empty()


def log_logged_model_params(request: LogLoggedModelParams, context: Context) -> Empty:
    """A param that exists is an error of the database."""

    def write(connection: Connection) -> None:
        row = _fetch_row(connection, request.model_id)
        if request.params:
            connection.execute(
                *param_statements.insert_model_params(request.model_id, row.experiment_id, request.params)
            )

    context.database.retrying(write)
    return Empty()


def search_logged_models(request: SearchLoggedModels, context: Context) -> FoundLoggedModels:
    if len(request.datasets) > limits.MAX_SEARCHED_DATASETS:
        raise InvalidParameter(
            f"Invalid value for parameter 'datasets' supplied: a search is about at most {limits.MAX_SEARCHED_DATASETS}"
            f" datasets, got {len(request.datasets)}."
        )
    keys = [parse_experiment_id(experiment_id) for experiment_id in request.experiment_ids]
    query = select_logged_model_page(request, keys, context.database.dialect)
    if not keys:
        return FoundLoggedModels()
    with context.database.read() as connection:
        page = query.page_of_rows(fetch_rows(connection, query.statement))
        models = _fetch_models(connection, page.rows)
    return FoundLoggedModels(models=models or (), next_page_token=page.next_page_token)


def _fetch_row(connection: Connection, model_id: str) -> Row[*tuple[Any, ...]]:
    row = connection.execute(statements.SELECT, {"of_model": model_id}).one_or_none()
    if row is None:
        raise _no_model(model_id)
    return row


def _fetch_models(connection: Connection, found: Sequence[Sequence[Any]]) -> list[LoggedModel]:
    """The models of these rows (`statements.logged_models.COLUMNS`), with one statement for each kind of child."""
    if not found:
        return []
    of_models = {"model_ids": [row[0] for row in found]}
    tags = rows.tags_by_owner(fetch_rows(connection, tag_statements.SELECT_OF_MODELS, of_models))
    params = rows.params_by_owner(fetch_rows(connection, param_statements.SELECT_OF_MODELS, of_models))
    metrics = rows.model_metrics_by_model(fetch_rows(connection, metric_statements.SELECT_OF_MODELS, of_models))
    return [
        rows.logged_model(row, tags.get(row[0], ()), params.get(row[0], ()), metrics.get(row[0], ())) for row in found
    ]


def _no_model(model_id: str) -> DoesNotExist:
    return DoesNotExist(f"Logged model with ID '{model_id}' not found.")
