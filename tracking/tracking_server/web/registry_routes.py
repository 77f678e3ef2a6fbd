"""The rows of the table that are about the model registry."""

from typing import Final

from tracking_server.entities import model_versions, registered_models
from tracking_server.services import artifacts as artifact_services
from tracking_server.services import model_versions as version_services
from tracking_server.services import registered_models as model_services
from tracking_server.web.route import Download, Row, call
from tracking_server.wire.decode import decoder

_MODELS: Final = "/api/2.0/mlflow/registered-models"
_VERSIONS: Final = "/api/2.0/mlflow/model-versions"


REGISTRY_ROWS: Final[tuple[Row, ...]] = (
    call(
        "POST",
        f"{_MODELS}/create",
        registered_models.CreateRegisteredModel,
        model_services.create_registered_model,
    ),
    call(
        "POST",
        f"{_MODELS}/rename",
        registered_models.RenameRegisteredModel,
        model_services.rename_registered_model,
    ),
    call(
        "PATCH",
        f"{_MODELS}/update",
        registered_models.UpdateRegisteredModel,
        model_services.update_registered_model,
    ),
    call(
        "DELETE",
        f"{_MODELS}/delete",
        registered_models.DeleteRegisteredModel,
        model_services.delete_registered_model,
    ),
    call("GET", f"{_MODELS}/get", registered_models.GetRegisteredModel, model_services.get_registered_model),
    call(
        "GET",
        f"{_MODELS}/search",
        registered_models.SearchRegisteredModels,
        model_services.search_registered_models,
    ),
    call(
        "POST",
        f"{_MODELS}/get-latest-versions",
        registered_models.GetLatestVersions,
        model_services.get_latest_versions,
    ),
    call(
        "GET",
        f"{_MODELS}/get-latest-versions",
        registered_models.GetLatestVersions,
        model_services.get_latest_versions,
    ),
    call(
        "POST",
        f"{_MODELS}/set-tag",
        registered_models.SetRegisteredModelTag,
        model_services.set_registered_model_tag,
    ),
    call(
        "DELETE",
        f"{_MODELS}/delete-tag",
        registered_models.DeleteRegisteredModelTag,
        model_services.delete_registered_model_tag,
    ),
    call(
        "POST",
        f"{_MODELS}/alias",
        registered_models.SetRegisteredModelAlias,
        model_services.set_registered_model_alias,
    ),
    call(
        "DELETE",
        f"{_MODELS}/alias",
        registered_models.DeleteRegisteredModelAlias,
        model_services.delete_registered_model_alias,
    ),
    call(
        "GET",
        f"{_MODELS}/alias",
        registered_models.GetModelVersionByAlias,
        model_services.get_model_version_by_alias,
    ),
    call("POST", f"{_VERSIONS}/create", model_versions.CreateModelVersion, version_services.create_model_version),
    call("PATCH", f"{_VERSIONS}/update", model_versions.UpdateModelVersion, version_services.update_model_version),
    call(
        "POST",
        f"{_VERSIONS}/transition-stage",
        model_versions.TransitionModelVersionStage,
        version_services.transition_model_version_stage,
    ),
    call("DELETE", f"{_VERSIONS}/delete", model_versions.DeleteModelVersion, version_services.delete_model_version),
    call("GET", f"{_VERSIONS}/get", model_versions.GetModelVersion, version_services.get_model_version),
    call("GET", f"{_VERSIONS}/search", model_versions.SearchModelVersions, version_services.search_model_versions),
    call(
        "GET",
        f"{_VERSIONS}/get-download-uri",
        model_versions.GetModelVersionDownloadUri,
        version_services.get_model_version_download_uri,
    ),
    call("POST", f"{_VERSIONS}/set-tag", model_versions.SetModelVersionTag, version_services.set_model_version_tag),
    call(
        "DELETE",
        f"{_VERSIONS}/delete-tag",
        model_versions.DeleteModelVersionTag,
        version_services.delete_model_version_tag,
    ),
    Download(
        path="/model-versions/get-artifact",
        decode=decoder(model_versions.GetModelVersionArtifact),
        locate=artifact_services.locate_model_version_artifact,
        asks_database=True,
    ),
)
