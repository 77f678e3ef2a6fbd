"""The artifact store in pods: variables, files, identities; nothing secret anywhere but behind a reference."""

from typing import Any

import pytest

from tests.support.servers import AZURE, GCS, S3, a_server, a_store
from tracking_operator.desired import artifact_store
from tracking_operator.desired.binding import binding
from tracking_operator.desired.bundle import children
from tracking_operator.desired.deployment import can_roll
from tracking_operator.desired.places import CLUSTER
from tracking_operator.desired.store_check_job import store_check_job
from tracking_operator.resource.spec import EnvFromSecret, EnvValue, TrackingServer

AMBIENT: dict[str, Any] = {"credentials": {"ambient": {}}}


def _identity(**annotations: str) -> dict[str, Any]:
    return {"credentials": {"workloadIdentity": {"serviceAccountAnnotations": annotations}}}


def _keys(**keys: str) -> dict[str, Any]:
    return {"credentials": {"secretRef": {"name": "bucket", "keys": keys}}}


def _server(kind: str, fields: dict[str, Any], **artifacts: Any) -> TrackingServer:
    base = {"s3": S3, "gcs": GCS, "azure": AZURE}[kind]
    return a_server(artifacts=a_store(kind, {**base, **fields}, **artifacts))


def _environment(server: TrackingServer) -> dict[str, str]:
    """A reference as `<Secret>:<key>`."""
    found: dict[str, str] = {}
    for variable in artifact_store.environment(server, CLUSTER):
        match variable:
            case EnvValue(name=name, value=value):
                found[name] = value
            case EnvFromSecret(name=name, secret_key_ref=reference):
                found[name] = f"{reference.name}:{reference.key}"
    return found


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        pytest.param(
            a_server(), {"MLFLOW_ARTIFACTS_DESTINATION": "/var/lib/trackplane/artifacts"}, id="a folder on a volume"
        ),
        pytest.param(
            _server("s3", {}),
            {
                "MLFLOW_ARTIFACTS_DESTINATION": "s3://models",
                "AWS_ACCESS_KEY_ID": "bucket:AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY": "bucket:AWS_SECRET_ACCESS_KEY",
            },
            id="S3, the usual keys",
        ),
        pytest.param(
            _server(
                "s3",
                {
                    "region": "eu-central-1",
                    "endpoint": "https://minio.example.com:9000",
                    "pathStyle": True,
                    "sse": {"mode": "KMS", "kmsKeyId": "alias/models"},
                    "caSecretRef": {"name": "ca"},
                    **_keys(accessKeyId="id", secretAccessKey="key", sessionToken="token"),
                },
                access="Presigned",
                root="team/mlflow",
            ),
            {
                "MLFLOW_ARTIFACTS_DESTINATION": "s3://models/team/mlflow",
                "TRACKPLANE_ARTIFACTS_ACCESS": "presigned",
                "MLFLOW_S3_ENDPOINT_URL": "https://minio.example.com:9000",
                "AWS_DEFAULT_REGION": "eu-central-1",
                "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "path",
                "MLFLOW_S3_UPLOAD_EXTRA_ARGS": '{"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/models"}',
                "AWS_CA_BUNDLE": "/var/lib/trackplane/secrets/store-ca/ca.crt",
                "AWS_ACCESS_KEY_ID": "bucket:id",
                "AWS_SECRET_ACCESS_KEY": "bucket:key",
                "AWS_SESSION_TOKEN": "bucket:token",
            },
            id="S3, every option",
        ),
        pytest.param(
            _server("s3", {"sse": {"mode": "S3"}, **AMBIENT}, access="Direct"),
            {
                "MLFLOW_ARTIFACTS_DESTINATION": "s3://models",
                "MLFLOW_DEFAULT_ARTIFACT_ROOT": "s3://models",
                "MLFLOW_S3_UPLOAD_EXTRA_ARGS": '{"ServerSideEncryption": "AES256"}',
            },
            id="S3, direct, ambient",
        ),
        pytest.param(
            _server("gcs", {"project": "acme", "endpoint": "https://storage.example.com"}),
            {
                "MLFLOW_ARTIFACTS_DESTINATION": "gs://models",
                "MLFLOW_GCS_ENDPOINT": "https://storage.example.com",
                "GOOGLE_CLOUD_PROJECT": "acme",
                "GOOGLE_APPLICATION_CREDENTIALS": "/var/lib/trackplane/secrets/store-key/key.json",
            },
            id="GCS, a key file",
        ),
        pytest.param(
            _server("gcs", {"caSecretRef": {"name": "ca", "key": "pem"}, **_identity(**{"iam.gke.io/x": "a@b"})}),
            {
                "MLFLOW_ARTIFACTS_DESTINATION": "gs://models",
                "REQUESTS_CA_BUNDLE": "/var/lib/trackplane/secrets/store-ca/ca.crt",
            },
            id="GCS, an identity",
        ),
        pytest.param(
            _server("azure", {}, root="a/b"),
            {
                "MLFLOW_ARTIFACTS_DESTINATION": "wasbs://models@acme.blob.core.windows.net/a/b",
                "AZURE_STORAGE_ACCESS_KEY": "bucket:AZURE_STORAGE_ACCESS_KEY",
            },
            id="Azure, the key of the account",
        ),
        pytest.param(
            _server(
                "azure",
                {
                    "endpointSuffix": "blob.core.chinacloudapi.cn",
                    "endpoint": "https://blobs.example.com",
                    **_keys(connectionString="azure"),
                },
            ),
            {
                "MLFLOW_ARTIFACTS_DESTINATION": "wasbs://models@acme.blob.core.chinacloudapi.cn",
                "MLFLOW_AZURE_STORAGE_BLOB_ENDPOINT": "https://blobs.example.com",
                "AZURE_STORAGE_CONNECTION_STRING": "bucket:azure",
            },
            id="Azure, a connection string",
        ),
    ],
)
def test_the_environment_says_where_the_store_is_and_who_the_server_is_there(
    server: TrackingServer, expected: dict[str, str]
) -> None:
    assert _environment(server) == expected


@pytest.mark.parametrize("kind", ["s3", "gcs", "azure"])
def test_every_pod_that_touches_artifacts_gets_the_same_environment_and_files(kind: str) -> None:
    server = a_server(
        artifacts=a_store(kind, {**{"s3": S3, "gcs": GCS, "azure": AZURE}[kind], "caSecretRef": {"name": "ca"}}),
        gc={"schedule": "@daily"},
    )
    manifests = children(server, image="server:1", references="", places=CLUSTER)
    deployment, cron_job = manifests[-2:]
    check = store_check_job(server, image="server:1", job_hash="abc", places=CLUSTER)
    pods = (deployment["spec"], cron_job["spec"]["jobTemplate"]["spec"], check["spec"])
    wanted = _environment(server).keys()
    for pod in (spec["template"]["spec"] for spec in pods):
        (container,) = pod["containers"]
        assert wanted <= {variable["name"] for variable in container["env"]}
        secrets = {volume["name"]: volume["secret"] for volume in pod["volumes"] if "secret" in volume}
        mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
        for file in artifact_store.secret_files(server):
            assert secrets[file.name]["secretName"] == file.secret_key.name
            assert secrets[file.name]["items"] == [{"key": file.secret_key.key, "path": file.file}]
            assert f"{mounts[file.name]['mountPath']}/{file.file}" == file.path(CLUSTER)
            assert mounts[file.name]["readOnly"] is True
    assert not any(
        manifest["kind"] == "PersistentVolumeClaim" and "artifacts" in str(manifest) for manifest in manifests
    )


def test_an_identity_is_an_annotation_of_the_service_account() -> None:
    server = _server("s3", _identity(**{"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/models"}))
    account, *_ = children(server, image="server:1", references="", places=CLUSTER)
    assert account["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/models"}
    assert artifact_store.pod_labels(server) == {}


def test_azure_finds_the_pods_of_an_identity_by_a_label() -> None:
    server = _server("azure", _identity(**{"azure.workload.identity/client-id": "1"}))
    deployment = children(server, image="server:1", references="", places=CLUSTER)[-1]
    assert deployment["spec"]["template"]["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    assert artifact_store.pod_labels(_server("azure", {})) == {}


def test_a_binding_holds_what_clients_need_and_nothing_secret() -> None:
    options = {"endpoint": "https://minio.example.com", "region": "us-east-1", "pathStyle": True}
    assert binding(_server("s3", options))["data"] == {"MLFLOW_TRACKING_URI": "http://demo.ml.svc:5000"}
    assert binding(_server("s3", options, access="Direct"))["data"] == {
        "MLFLOW_TRACKING_URI": "http://demo.ml.svc:5000",
        "MLFLOW_S3_ENDPOINT_URL": "https://minio.example.com",
        "AWS_DEFAULT_REGION": "us-east-1",
        "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "path",
    }


def test_a_binding_names_an_endpoint_as_googles_sdk_reads_it() -> None:
    server = _server("gcs", {"endpoint": "https://storage.example.com", "project": "acme"}, access="Direct")
    assert binding(server)["data"] == {
        "MLFLOW_TRACKING_URI": "http://demo.ml.svc:5000",
        "MLFLOW_GCS_ENDPOINT": "https://storage.example.com",
        "API_ENDPOINT_OVERRIDE": "https://storage.example.com",
        "GOOGLE_CLOUD_PROJECT": "acme",
    }


def test_pods_on_a_shared_database_and_a_bucket_can_be_rolled() -> None:
    external = {"uriSecretRef": {"name": "database"}}
    assert can_roll(a_server(database=external, artifacts=a_store("gcs", GCS)))
    assert not can_roll(a_server(artifacts=a_store("gcs", GCS)))
