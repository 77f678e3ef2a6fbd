"""The rows of the table that are about artifacts."""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from tracking_server.entities import artifacts
from tracking_server.errors import InvalidParameter
from tracking_server.services import artifacts as services
from tracking_server.services import presigned
from tracking_server.services.context import Context
from tracking_server.web.route import Download, Route, Row, Upload
from tracking_server.wire.decode import Decoder, decoder
from tracking_server.wire.encode import encode
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
        Route(
            method="POST",
            path=f"{_PROXY}/mpu/{step}{folder}",
            decode=decoder(shape),
            service=service,
            encode=encode,
            asks_database=False,
        )
        for folder in ("", "/{artifact_path*}")
    )


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
    *_multipart("create", artifacts.CreateMultipartUpload, presigned.create_multipart_upload),
    *_multipart("complete", artifacts.CompleteMultipartUpload, presigned.complete_multipart_upload),
    *_multipart("abort", artifacts.AbortMultipartUpload, presigned.abort_multipart_upload),
    Route(
        method="GET",
        path=f"{_PROXY}/presigned/{{artifact_path*}}",
        decode=decoder(artifacts.ProxiedArtifact),
        service=presigned.sign_proxied_download,
        encode=encode,
        asks_database=False,
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
    Route(
        method="POST",
        path=f"{_TRACKING}/artifacts/presigned-upload-url",
        decode=decoder(artifacts.CreatePresignedUploadUrl),
        service=presigned.create_presigned_upload_url,
        encode=encode,
    ),
    Route(
        method="POST",
        path=f"{_TRACKING}/artifacts/presigned-download-url",
        decode=decoder(artifacts.CreatePresignedDownloadUrl),
        service=presigned.create_presigned_download_url,
        encode=encode,
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
