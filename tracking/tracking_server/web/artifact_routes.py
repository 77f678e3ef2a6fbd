"""The rows of the table that are about artifacts."""

from typing import Final

from tracking_server.entities import artifacts
from tracking_server.errors import InvalidParameter
from tracking_server.services import artifacts as services
from tracking_server.web.route import Download, Route, Row, Upload
from tracking_server.wire.decode import Decoder, decoder
from tracking_server.wire.encode import encode
from tracking_server.wire.raw import RawRequest

_TRACKING: Final = "/api/2.0/mlflow"
_PROXY: Final = "/api/2.0/mlflow-artifacts"
_UPLOAD_LIMIT_BYTES: Final = 10 * 1024 * 1024


class _UploadDecoder(Decoder[artifacts.GetRunArtifact]):
    """Says what is missing in MLflow's words, which are others here than elsewhere."""

    def __call__(self, raw: RawRequest) -> artifacts.GetRunArtifact:
        if not any(raw.query.get("run_uuid", raw.query.get("run_id", ()))):
            raise InvalidParameter("Request must specify run_uuid.")
        if not any(raw.query.get("path", ())):
            raise InvalidParameter("Request must specify path.")
        return super().__call__(raw)


PROXIED_ROWS: Final[tuple[Row, ...]] = (
    Route(
        method="GET",
        path=f"{_PROXY}/artifacts",
        decode=decoder(artifacts.ListProxiedArtifacts),
        service=services.list_proxied_artifacts,
        encode=encode,
    ),
    Download(
        path=f"{_PROXY}/artifacts/{{artifact_path*}}",
        decode=decoder(artifacts.ProxiedArtifact),
        locate=services.locate_proxied_artifact,
        asks_database=False,
    ),
    Upload(
        method="PUT",
        path=f"{_PROXY}/artifacts/{{artifact_path*}}",
        decode=decoder(artifacts.ProxiedArtifact),
        locate=services.locate_proxied_artifact,
        asks_database=False,
    ),
    Route(
        method="DELETE",
        path=f"{_PROXY}/artifacts/{{artifact_path*}}",
        decode=decoder(artifacts.ProxiedArtifact),
        service=services.delete_proxied_artifact,
        encode=encode,
    ),
    *(
        Route(
            method="POST",
            path=f"{_PROXY}/mpu/{step}{folder}",
            decode=decoder(artifacts.CreateMultipartUpload if step == "create" else artifacts.EndMultipartUpload),
            service=services.refuse_multipart_upload,
            encode=encode,
        )
        for step in ("create", "complete", "abort")
        for folder in ("", "/{artifact_path*}")
    ),
    Route(
        method="GET",
        path=f"{_PROXY}/presigned/{{artifact_path*}}",
        decode=decoder(artifacts.ProxiedArtifact),
        service=services.refuse_presigned_download,
        encode=encode,
    ),
)

ARTIFACT_ROWS: Final[tuple[Row, ...]] = (
    Route(
        method="GET",
        path=f"{_TRACKING}/artifacts/list",
        decode=decoder(artifacts.ListArtifacts),
        service=services.list_artifacts,
        encode=encode,
    ),
    Route(
        method="GET",
        path=f"{_TRACKING}/logged-models/{{model_id}}/artifacts/directories",
        decode=decoder(artifacts.ListLoggedModelArtifacts),
        service=services.list_logged_model_artifacts,
        encode=encode,
    ),
    *(
        Route(
            method="POST",
            path=f"{_TRACKING}/artifacts/presigned-{direction}-url",
            decode=decoder(artifacts.CreatePresignedUrl),
            service=services.refuse_presigned_url,
            encode=encode,
        )
        for direction in ("upload", "download")
    ),
    Download(
        path="/get-artifact",
        decode=decoder(artifacts.GetRunArtifact),
        locate=services.locate_run_artifact,
        asks_database=True,
    ),
    Download(
        path="/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files",
        decode=decoder(artifacts.GetLoggedModelArtifact),
        locate=services.locate_logged_model_artifact,
        asks_database=True,
    ),
    Upload(
        method="POST",
        path="/ajax-api/2.0/mlflow/upload-artifact",
        decode=_UploadDecoder(artifacts.GetRunArtifact, ()),
        locate=services.locate_run_artifact,
        asks_database=True,
        body_limit_bytes=_UPLOAD_LIMIT_BYTES,
        takes_nothing=False,
    ),
    *PROXIED_ROWS,
)
