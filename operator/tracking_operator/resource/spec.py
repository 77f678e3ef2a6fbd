"""A TrackingServer as Python: frozen types that mirror the resource field by field."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias


@dataclass(frozen=True, kw_only=True, slots=True)
class Metadata:
    name: str
    namespace: str
    uid: str
    """Empty when the resource has not been on a cluster."""
    generation: int
    annotations: Mapping[str, str]
    is_deleted: bool
    """Somebody deleted it, and a finalizer still holds it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretKey:
    """One key of one Secret in the namespace of the resource."""

    name: str
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class VolumeClaimTemplate:
    """A claim that the operator makes."""

    access_modes: tuple[str, ...]
    storage: str
    storage_class_name: str | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class ExistingClaim:
    """A claim that somebody else made and keeps."""

    name: str


Volume: TypeAlias = VolumeClaimTemplate | ExistingClaim


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerOptions:
    workers: int
    allowed_hosts: tuple[str, ...]
    webhook_key: SecretKey | None
    """Encrypts the secrets of webhooks; None leaves that to the server."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sqlite:
    volume: Volume


@dataclass(frozen=True, kw_only=True, slots=True)
class ExternalDatabase:
    uri_secret_ref: SecretKey


Database: TypeAlias = Sqlite | ExternalDatabase


@dataclass(frozen=True, kw_only=True, slots=True)
class VolumeStore:
    volume: Volume


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretCredentials:
    """`keys` maps what a credential is for, as the resource names it, to its key in the Secret."""

    name: str
    keys: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkloadIdentity:
    service_account_annotations: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ambient:
    """Whatever identity the node gives."""


Credentials: TypeAlias = SecretCredentials | WorkloadIdentity | Ambient


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSideEncryption:
    mode: Literal["S3", "KMS"]
    kms_key_id: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class S3Store:
    bucket: str
    region: str | None
    endpoint: str | None
    path_style: bool
    sse: ServerSideEncryption | None
    ca_secret_ref: SecretKey | None
    credentials: Credentials


@dataclass(frozen=True, kw_only=True, slots=True)
class GcsStore:
    bucket: str
    project: str | None
    endpoint: str | None
    ca_secret_ref: SecretKey | None
    credentials: Credentials


@dataclass(frozen=True, kw_only=True, slots=True)
class AzureStore:
    account: str
    container: str
    endpoint_suffix: str
    endpoint: str | None
    ca_secret_ref: SecretKey | None
    credentials: Credentials


ObjectStore: TypeAlias = S3Store | GcsStore | AzureStore
ArtifactStore: TypeAlias = VolumeStore | ObjectStore
Access: TypeAlias = Literal["Proxied", "Presigned", "Direct"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifacts:
    access: Access
    root: str
    """The folder in the store; empty for the whole of it."""
    store: ArtifactStore


@dataclass(frozen=True, kw_only=True, slots=True)
class Dump:
    """`trackplane backup` to a volume."""

    volume: Volume


@dataclass(frozen=True, kw_only=True, slots=True)
class Backup:
    required: Literal["Always", "WhenMigrating", "Never"]
    method: Dump


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvValue:
    name: str
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvFromSecret:
    name: str
    secret_key_ref: SecretKey


EnvVar: TypeAlias = EnvValue | EnvFromSecret


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: tuple[EnvVar, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Hooks:
    pre_migration: tuple[Hook, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Upgrade:
    backup: Backup
    hooks: Hooks
    on_failure: Literal["Hold", "RestoreBackup"]


@dataclass(frozen=True, kw_only=True, slots=True)
class GarbageCollection:
    schedule: str
    time_zone: str
    older_than: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    type: Literal["ClusterIP", "NodePort", "LoadBalancer"]
    port: int
    node_port: int | None
    annotations: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Networking:
    service: Service


@dataclass(frozen=True, kw_only=True, slots=True)
class Deletion:
    policy: Literal["Retain", "Delete"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SecurityContext:
    """The ids that the pods run with; None leaves an id to the platform."""

    run_as_user: int | None
    run_as_group: int | None
    fs_group: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """What every pod of the resource gets: the server's and the Jobs'. Maps are kept in Kubernetes' own shape."""

    resources: Mapping[str, Any]
    node_selector: Mapping[str, str]
    tolerations: tuple[Mapping[str, Any], ...]
    affinity: Mapping[str, Any]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    security_context: SecurityContext


@dataclass(frozen=True, kw_only=True, slots=True)
class Spec:
    image: str | None
    """None: the image that the operator was installed with."""
    image_pull_policy: str | None
    image_pull_secrets: tuple[str, ...]
    replicas: int
    server: ServerOptions
    database: Database
    artifacts: Artifacts
    upgrade: Upgrade
    gc: GarbageCollection | None
    networking: Networking
    suspend: bool
    deletion: Deletion
    template: Template


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A Secret that the spec names, and the field that names it."""

    path: str
    secret_key: SecretKey


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackingServer:
    metadata: Metadata
    spec: Spec

    @property
    def wanted_replicas(self) -> int:
        return 0 if self.spec.suspend else self.spec.replicas

    @property
    def references_of_server(self) -> tuple[Reference, ...]:
        """The Secrets that the pods of the server read, in the order of the fields."""
        found: list[Reference] = []
        if self.spec.server.webhook_key is not None:
            path = "spec.server.webhooks.secretEncryptionKeySecretRef"
            found.append(Reference(path=path, secret_key=self.spec.server.webhook_key))
        if isinstance(self.spec.database, ExternalDatabase):
            found.append(Reference(path="spec.database.uriSecretRef", secret_key=self.spec.database.uri_secret_ref))
        return (*found, *_references_of_store(self.spec.artifacts.store))

    @property
    def references(self) -> tuple[Reference, ...]:
        """Every Secret that has to exist for the server and its upgrade to run, in the order of the fields."""
        found = list(self.references_of_server)
        for index, hook in enumerate(self.spec.upgrade.hooks.pre_migration):
            path = f"spec.upgrade.hooks.preMigration[{index}].env"
            found.extend(
                Reference(path=f"{path}[{place}].valueFrom.secretKeyRef", secret_key=variable.secret_key_ref)
                for place, variable in enumerate(hook.env)
                if isinstance(variable, EnvFromSecret)
            )
        return tuple(found)


def _references_of_store(store: ArtifactStore) -> tuple[Reference, ...]:
    if isinstance(store, VolumeStore):
        return ()
    path = f"spec.artifacts.store.{_STORE_FIELDS[type(store)]}"
    found: list[Reference] = []
    if store.ca_secret_ref is not None:
        found.append(Reference(path=f"{path}.caSecretRef", secret_key=store.ca_secret_ref))
    if isinstance(store.credentials, SecretCredentials):
        name = store.credentials.name
        found.extend(
            Reference(path=f"{path}.credentials.secretRef", secret_key=SecretKey(name=name, key=key))
            for key in store.credentials.keys.values()
        )
    return tuple(found)


_STORE_FIELDS: Final[Mapping[type[ObjectStore], str]] = {S3Store: "s3", GcsStore: "gcs", AzureStore: "azure"}
