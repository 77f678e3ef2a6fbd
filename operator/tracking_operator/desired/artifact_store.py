"""(spec, places) to what a process needs to reach the artifact store: its address, its options, who it is there.

The variables are those that the command line of the server and the SDKs of the clouds read. Secrets stay references:
to a key for a variable, or to a file that is mounted. What a client needs in Direct mode is the same without secrets.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from tracking_operator.desired.places import Places
from tracking_operator.resource.spec import (
    Artifacts,
    AzureStore,
    EnvFromSecret,
    EnvValue,
    EnvVar,
    GcsStore,
    ObjectStore,
    S3Store,
    SecretCredentials,
    SecretKey,
    TrackingServer,
    VolumeStore,
    WorkloadIdentity,
)

DESTINATION: Final = "MLFLOW_ARTIFACTS_DESTINATION"
DEFAULT_ROOT: Final = "MLFLOW_DEFAULT_ARTIFACT_ROOT"
ACCESS: Final = "TRACKPLANE_ARTIFACTS_ACCESS"
GCS_ENDPOINT: Final = "MLFLOW_GCS_ENDPOINT"

_SERVICE_ACCOUNT_KEY: Final = "serviceAccountKey"
_VARIABLES: Final[Mapping[str, str]] = {
    "accessKeyId": "AWS_ACCESS_KEY_ID",
    "secretAccessKey": "AWS_SECRET_ACCESS_KEY",
    "sessionToken": "AWS_SESSION_TOKEN",
    "connectionString": "AZURE_STORAGE_CONNECTION_STRING",
    "accountKey": "AZURE_STORAGE_ACCESS_KEY",
    "sasToken": "AZURE_STORAGE_SAS_TOKEN",
}
_AZURE_POD_LABELS: Final[Mapping[str, str]] = {"azure.workload.identity/use": "true"}
"""What the webhook of Azure's workload identity looks for, on pods."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretFile:
    """One key of a Secret as a file: `name` is that of the volume and of its folder below `Places.secrets`."""

    name: str
    secret_key: SecretKey
    file: str
    variable: str
    """That tells the SDK where the file is."""

    def path(self, places: Places) -> str:
        return f"{places.secrets}/{self.name}/{self.file}"


def environment(server: TrackingServer, places: Places) -> tuple[EnvVar, ...]:
    """For the server, and for every Job that touches artifacts."""
    artifacts = server.spec.artifacts
    if isinstance(artifacts.store, VolumeStore):
        return (EnvValue(name=DESTINATION, value=places.artifacts),)
    root = store_uri(artifacts, artifacts.store)
    variables: list[EnvVar] = [EnvValue(name=DESTINATION, value=root)]
    match artifacts.access:
        case "Proxied":
            pass
        case "Presigned":
            variables.append(EnvValue(name=ACCESS, value="presigned"))
        case "Direct":
            variables.append(EnvValue(name=DEFAULT_ROOT, value=root))
    variables.extend(EnvValue(name=name, value=value) for name, value in _options(artifacts.store))
    variables.extend(EnvValue(name=file.variable, value=file.path(places)) for file in secret_files(server))
    variables.extend(_secret_variables(artifacts.store))
    return tuple(variables)


def client_environment(server: TrackingServer) -> Mapping[str, str]:
    """What a client of the store has to know besides its own credentials; empty unless it reaches the store itself."""
    artifacts = server.spec.artifacts
    if artifacts.access != "Direct" or isinstance(artifacts.store, VolumeStore):
        return {}
    options = dict(_options(artifacts.store))
    if GCS_ENDPOINT in options:  # Google's SDK, which is what clients use, does not read that one
        options["API_ENDPOINT_OVERRIDE"] = options[GCS_ENDPOINT]
    return options


def secret_files(server: TrackingServer) -> tuple[SecretFile, ...]:
    store = server.spec.artifacts.store
    if isinstance(store, VolumeStore):
        return ()
    found: list[SecretFile] = []
    if store.ca_secret_ref is not None:
        variable = "AWS_CA_BUNDLE" if isinstance(store, S3Store) else "REQUESTS_CA_BUNDLE"
        found.append(SecretFile(name="store-ca", secret_key=store.ca_secret_ref, file="ca.crt", variable=variable))
    credentials = store.credentials
    if isinstance(credentials, SecretCredentials) and _SERVICE_ACCOUNT_KEY in credentials.keys:
        key = SecretKey(name=credentials.name, key=credentials.keys[_SERVICE_ACCOUNT_KEY])
        variable = "GOOGLE_APPLICATION_CREDENTIALS"
        found.append(SecretFile(name="store-key", secret_key=key, file="key.json", variable=variable))
    return tuple(found)


def service_account_annotations(server: TrackingServer) -> Mapping[str, str]:
    """By which a cloud knows the identity of the pods."""
    identity = _workload_identity(server)
    return {} if identity is None else identity.service_account_annotations


def pod_labels(server: TrackingServer) -> Mapping[str, str]:
    is_azure = isinstance(server.spec.artifacts.store, AzureStore)
    return _AZURE_POD_LABELS if is_azure and _workload_identity(server) is not None else {}


def store_uri(artifacts: Artifacts, store: ObjectStore) -> str:
    """As clients read it too: Azure's in the form that names the account."""
    match store:
        case S3Store(bucket=bucket):
            base = f"s3://{bucket}"
        case GcsStore(bucket=bucket):
            base = f"gs://{bucket}"
        case AzureStore(account=account, container=container, endpoint_suffix=suffix):
            base = f"wasbs://{container}@{account}.{suffix}"
        case _ as never:
            assert_never(never)
    return f"{base}/{artifacts.root}" if artifacts.root else base


def _options(store: ObjectStore) -> Iterator[tuple[str, str]]:
    match store:
        case S3Store():
            yield from _s3_options(store)
        case GcsStore(project=project, endpoint=endpoint):
            if endpoint is not None:
                yield GCS_ENDPOINT, endpoint
            if project is not None:
                yield "GOOGLE_CLOUD_PROJECT", project
        case AzureStore(endpoint=endpoint):
            if endpoint is not None:
                yield "MLFLOW_AZURE_STORAGE_BLOB_ENDPOINT", endpoint
        case _ as never:
            assert_never(never)


def _s3_options(store: S3Store) -> Iterator[tuple[str, str]]:
    if store.endpoint is not None:
        yield "MLFLOW_S3_ENDPOINT_URL", store.endpoint
    if store.region is not None:
        yield "AWS_DEFAULT_REGION", store.region
    if store.path_style:
        yield "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE", "path"
    if store.sse is not None:
        extra = {"ServerSideEncryption": "aws:kms" if store.sse.mode == "KMS" else "AES256"}
        if store.sse.kms_key_id is not None:
            extra["SSEKMSKeyId"] = store.sse.kms_key_id
        yield "MLFLOW_S3_UPLOAD_EXTRA_ARGS", json.dumps(extra)


def _secret_variables(store: ObjectStore) -> Iterator[EnvVar]:
    if not isinstance(store.credentials, SecretCredentials):
        return
    for purpose, key in store.credentials.keys.items():
        if purpose in _VARIABLES:
            reference = SecretKey(name=store.credentials.name, key=key)
            yield EnvFromSecret(name=_VARIABLES[purpose], secret_key_ref=reference)


def _workload_identity(server: TrackingServer) -> WorkloadIdentity | None:
    store = server.spec.artifacts.store
    if isinstance(store, VolumeStore) or not isinstance(store.credentials, WorkloadIdentity):
        return None
    return store.credentials
