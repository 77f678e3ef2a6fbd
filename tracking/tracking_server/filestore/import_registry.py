"""The model registry: new models and versions are written, tags and aliases of known ones merged."""

from collections.abc import Mapping

from tracking_server.database import schema
from tracking_server.database.statements.collect import DELETED_VERSION
from tracking_server.filestore import statements
from tracking_server.filestore.folder import Broken
from tracking_server.filestore.merging import Both, both_texts, merge
from tracking_server.filestore.reading import META
from tracking_server.filestore.registry_reading import read_registered_models
from tracking_server.filestore.rows import FoundRegisteredModel, FoundVersion
from tracking_server.filestore.sink import Sink
from tracking_server.filestore.statements import Texts
from tracking_server.filestore.target import WORKSPACE, Target


def import_registry(target: Target) -> None:
    for model in read_registered_models(target.folder, target.options.rewrites):
        known = target.read(statements.SELECT_REGISTERED, {"name": model.row.name})
        if not known and not target.is_fresh(f"{model.path}/{META}"):
            continue  # it came in once, and was deleted or renamed in the database
        is_written = target.write(
            [model], lambda sink, models: _write_registered(target, sink, models[0]), lambda each: each.path
        )
        if known and is_written:
            _merge_registered(target, model)


def _merge_registered(target: Target, model: FoundRegisteredModel) -> None:
    """With its versions, but those that were deleted in the database."""
    path, name = model.path, {"name": model.row.name}
    live = {
        row.version for row in target.read(statements.SELECT_VERSIONS, name) if row.current_stage != DELETED_VERSION
    }
    tags = target.fit.texts(schema.registered_model_tags, ("key", "value"), model.tags, f"{path}/tags")
    aliases = {alias: version for alias, version in model.aliases.items() if version in live}
    known_tags: dict[str, object] = {row.key: row.value for row in target.read(statements.SELECT_REGISTERED_TAGS, name)}
    known_aliases: dict[str, object] = {row.alias: row.version for row in target.read(statements.SELECT_ALIASES, name)}
    known_of_versions: dict[int, dict[str, object]] = {}
    for version, key, value in target.read(statements.SELECT_VERSION_TAGS, name):
        known_of_versions.setdefault(version, {})[key] = value
    owner = (model.row.name,)
    parts = [
        _both(statements.REGISTERED_TAGS, f"{path}/tags", owner, tags, known_tags),
        _both(statements.ALIASES, f"{path}/aliases", owner, aliases, known_aliases),
    ]
    for found in model.versions:
        version, place = found.row.version, f"{path}/version-{found.row.version}/tags"
        if version in live:
            of_version = target.fit.texts(schema.model_version_tags, ("key", "value"), found.tags, place)
            known = known_of_versions.get(version, {})
            parts.append(_both(statements.VERSION_TAGS, place, (*owner, version), of_version, known))
    merge(target, parts)


def _both(
    texts: Texts, path: str, owner: tuple[object, ...], found: Mapping[str, object], known: Mapping[str, object]
) -> Both:
    return both_texts(texts, path, owner, found, known, workspace=WORKSPACE)


def _write_registered(target: Target, sink: Sink, model: FoundRegisteredModel) -> Mapping[str, int]:
    row = target.fit.row(schema.registered_models, model.row, model.path)
    known = sink.rows(statements.SELECT_REGISTERED, {"name": row.name})
    if known and known[0].creation_time != row.creation_time:
        raise Broken("the database has another registered model of that name: nothing of this one was written")
    counts = {} if known else _write_new_registered(target, sink, model)
    versions = _new_versions(target, sink, model)
    sink.add(statements.VERSIONS, [each.row for each in versions], workspace=WORKSPACE)
    tags = [(each.row.name, each.row.version, *tag) for each in versions for tag in each.tags.items()]
    sink.add(statements.VERSION_TAGS.add, tags, workspace=WORKSPACE)
    return {**counts, "model_versions": len(versions), "model_version_tags": len(tags)}


def _write_new_registered(target: Target, sink: Sink, model: FoundRegisteredModel) -> dict[str, int]:
    fit, path = target.fit, model.path
    row = fit.row(schema.registered_models, model.row, path)
    tags = fit.texts(schema.registered_model_tags, ("key", "value"), model.tags, f"{path}/tags")
    sink.add(statements.REGISTERED, [row], workspace=WORKSPACE)
    sink.add(statements.REGISTERED_TAGS.add, [(row.name, *tag) for tag in tags.items()], workspace=WORKSPACE)
    aliases = [(row.name, alias, version) for alias, version in model.aliases.items()]
    sink.add(statements.ALIASES.add, aliases, workspace=WORKSPACE)
    return {"registered_models": 1, "registered_model_tags": len(tags), "registered_model_aliases": len(aliases)}


def _new_versions(target: Target, sink: Sink, model: FoundRegisteredModel) -> list[FoundVersion]:
    known = {row.version for row in sink.rows(statements.SELECT_VERSIONS, {"name": model.row.name})}
    new: list[FoundVersion] = []
    for version in model.versions:
        path = f"{model.path}/version-{version.row.version}"
        if version.row.version in known:
            continue
        try:
            row = target.fit.row(schema.model_versions, version.row, path)
        except Broken as broken:
            target.faults.add(path, str(broken))
            continue
        tags = target.fit.texts(schema.model_version_tags, ("key", "value"), version.tags, f"{path}/tags")
        new.append(FoundVersion(row=row, tags=tags))
    return new
