"""What a new model version comes from: the source of the request, held against runs, logged models and versions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from tracking_server.database.claims import ids_in, refuse_claimed_sources
from tracking_server.database.statements import model_versions as statements
from tracking_server.entities.lifecycle import LifecycleStage
from tracking_server.entities.model_versions import CreateModelVersion
from tracking_server.errors import DoesNotExist, InvalidParameter
from tracking_server.services import locations
from tracking_server.services.context import Context
from tracking_server.services.limits import shown
from tracking_server.services.model_sources import (
    Elsewhere,
    OfLoggedModel,
    OfVersion,
    Source,
    check_owner,
    check_place,
    check_prompt_source,
    needs_root,
    parse_source,
    refuse_owner,
)
from tracking_server.services.registered_models import number_of_alias, require_model
from tracking_server.services.registry_limits import check_alias, is_latest, is_prompt, parse_stage, parse_version
from tracking_server.services.registry_reading import no_version


@dataclass(frozen=True, kw_only=True, slots=True)
class LineageOf:
    """The logged model that keeps a list of the versions made of it."""

    model_id: str
    experiment_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """`location` is where the files are, when `source` is the name of something else."""

    source: str
    location: str
    run_id: str
    lineage: LineageOf | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Owners:
    """Runs and logged models that a source speaks of, by id; locked, so that none of them is collected meanwhile."""

    runs: dict[str, Row[*tuple[Any, ...]]]
    models: dict[str, Row[*tuple[Any, ...]]]


def check_source(request: CreateModelVersion, context: Context) -> Source:
    """What can be said of it without the database. Raises InvalidParameter."""
    pattern = context.model_source_pattern
    if pattern is not None and not pattern.search(request.source):
        raise InvalidParameter(
            f"Invalid model version source: {shown(request.source)}. This server takes only those that match"
            " MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX."
        )
    if is_prompt(request.tags):
        check_prompt_source(request.source)
        return Elsewhere()
    locations.check_host(
        request.source,
        "source",
        known_roots=(context.default_artifact_root, context.artifacts_destination),
        allowed_schemes=context.allowed_host_schemes,
    )
    parsed = parse_source(request.source)
    check_owner(request.source, parsed, run_id=request.run_id or "", model_id=request.model_id or "")
    return parsed


def find_origin(connection: Connection, request: CreateModelVersion, parsed: Source) -> Origin:
    if is_prompt(request.tags):
        return Origin(source=request.source, location=request.source, run_id=request.run_id or "")
    if isinstance(parsed, OfVersion):
        return _origin_of_copy(connection, request, parsed)
    return _origin_by_owner(connection, request, parsed)


def _origin_of_copy(connection: Connection, request: CreateModelVersion, copied: OfVersion) -> Origin:
    if require_model(connection, copied.name):
        raise InvalidParameter(
            f"Invalid model version source: {shown(request.source)}. Prompt versions cannot be used as model version"
            " sources."
        )
    number = _number_of(connection, copied)
    row = connection.execute(statements.SELECT_STORAGE, {"of_model": copied.name, "number": number}).one_or_none()
    if row is None:
        raise no_version(copied.name, copied.selector)
    if (request.run_id is not None and request.run_id != (row.run_id or "")) or request.model_id:
        raise InvalidParameter(
            f"Invalid model version source: {shown(request.source)}. The run_id and model_id request parameters must"
            " match the referenced model version; without them, the copy has its run."
        )
    location = row.storage_location or row.source or ""
    _lock_owners(connection, {row.run_id or "", *ids_in(location)})
    return Origin(source=f"models:/{copied.name}/{row.version}", location=location, run_id=row.run_id or "")


def _number_of(connection: Connection, copied: OfVersion) -> int:
    if copied.is_alias:
        check_alias(copied.selector)
        return number_of_alias(connection, copied.name, copied.selector)
    if is_latest(copied.selector):
        return number_of_alias(connection, copied.name, copied.selector)
    if copied.selector.isdecimal():
        return parse_version(copied.selector)
    stage = parse_stage(copied.selector)
    number = connection.execute(
        statements.SELECT_HIGHEST_OF_STAGE, {"of_model": copied.name, "stage": stage.value}
    ).scalar_one_or_none()
    if number is None:
        raise DoesNotExist(f"No versions of model with name '{copied.name}' and stage '{stage}' found")
    return int(number)


def _origin_by_owner(connection: Connection, request: CreateModelVersion, parsed: Source) -> Origin:
    model_id, run_id = request.model_id or "", request.run_id or ""
    found = _lock_owners(connection, {model_id, run_id, *ids_in(request.source)})
    if not model_id:
        run = found.runs.get(run_id)
        check_place(request.source, parsed, None if run is None else run.artifact_uri, named="run_id")
        return Origin(source=request.source, location=request.source, run_id=run_id)
    model = found.models.get(model_id)
    if model is None or model.lifecycle_stage != LifecycleStage.ACTIVE:
        if needs_root(parsed):
            refuse_owner(request.source, "model_id")
        raise DoesNotExist(f"Logged model with ID '{model_id}' not found.")
    check_place(request.source, parsed, model.artifact_location, named="model_id")
    if not run_id and model.source_run_id:
        run_id = str(model.source_run_id)
        _lock_owners(connection, {run_id})
    return Origin(
        source=request.source,
        location=model.artifact_location if isinstance(parsed, OfLoggedModel) else request.source,
        run_id=run_id,
        lineage=LineageOf(model_id=model_id, experiment_id=model.experiment_id),
    )


def _lock_owners(connection: Connection, ids: Iterable[str]) -> _Owners:
    """Raises InvalidParameter for one that garbage collection has claimed."""
    given = sorted(set(ids) - {""})
    models = _by_id(connection, statements.LOCK_LOGGED_MODELS, [each for each in given if each.startswith("m-")])
    runs = _by_id(connection, statements.LOCK_RUNS, [each for each in given if not each.startswith("m-")])
    refuse_claimed_sources(
        connection,
        [each for each, row in runs.items() if row.lifecycle_stage != LifecycleStage.ACTIVE],
        [each for each, row in models.items() if LifecycleStage.DELETED in {row.lifecycle_stage, row.experiment_stage}],
    )
    return _Owners(runs=runs, models=models)


def _by_id(connection: Connection, statement: Any, ids: list[str]) -> dict[str, Row[*tuple[Any, ...]]]:
    return {row[0]: row for row in connection.execute(statement, {"ids": ids})} if ids else {}
