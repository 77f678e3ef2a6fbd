"""The rows of the table that are about artifacts."""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from tracking_server.entities import artifacts
from tracking_server.errors import InvalidParameter
from tracking_server.services import artifacts as services
from tracking_server.services import presigned
from tracking_server.services.context import Context
from tracking_server.web.route import Download, Route, Row, Upload, call
from tracking_server.wire.decode import Decoder, decoder
from tracking_server.wire.raw import RawRequest

RequestT = TypeVar("RequestT", bound=msgspec.Struct)
AnswerT = TypeVar("AnswerT", bound=msgspec.Struct)

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


def _multipart(
    step: str, shape: type[RequestT], service: Callable[[RequestT, Context], AnswerT]
) -> tuple[Route[RequestT, AnswerT], ...]:
    return tuple(
        call("POST", f"{_PROXY}/mpu/{step}{folder}", shape, service, asks_database=False)
        for folder in ("", "/{artifact_path*}")
    )


PROXIED_ROWS: Final[tuple[Row, ...]] = (
    call("GET", f"{_PROXY}/artifacts", artifacts.ListProxiedArtifacts, services.list_proxied_artifacts),
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
    call(
        "DELETE", f"{_PROXY}/artifacts/{{artifact_path*}}", artifacts.ProxiedArtifact, services.delete_proxied_artifact
    ),
    *_multipart("create", artifacts.CreateMultipartUpload, presigned.create_multipart_upload),
    *_multipart("complete", artifacts.CompleteMultipartUpload, presigned.complete_multipart_upload),
    *_multipart("abort", artifacts.AbortMultipartUpload, presigned.abort_multipart_upload),
    call(
        "GET",
        f"{_PROXY}/presigned/{{artifact_path*}}",
        artifacts.ProxiedArtifact,
        presigned.sign_proxied_download,
        asks_database=False,
    ),
)

ARTIFACT_ROWS: Final[tuple[Row, ...]] = (
    call("GET", f"{_TRACKING}/artifacts/list", artifacts.ListArtifacts, services.list_artifacts),
    call(
        "GET",
        f"{_TRACKING}/logged-models/{{model_id}}/artifacts/directories",
        artifacts.ListLoggedModelArtifacts,
        services.list_logged_model_artifacts,
    ),
    call(
        "POST",
        f"{_TRACKING}/artifacts/presigned-upload-url",
        artifacts.CreatePresignedUploadUrl,
        presigned.create_presigned_upload_url,
    ),
    call(
        "POST",
        f"{_TRACKING}/artifacts/presigned-download-url",
        artifacts.CreatePresignedDownloadUrl,
        presigned.create_presigned_download_url,
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
