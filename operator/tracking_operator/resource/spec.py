"""A TrackingServer as Python: frozen types that mirror the resource field by field, and `parse`, the one way in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast

from tracking_operator.errors import Fault, SpecInvalid
from tracking_operator.resource import names
from tracking_operator.resource.schedule import parse_schedule
from tracking_operator.resource.schema import breaches, complete, resource_schema


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

Raw: TypeAlias = Mapping[str, Any]


def parse(raw: Mapping[str, object]) -> TrackingServer:
    """A resource as an API server stores it, or as a person wrote it. Raises `SpecInvalid` with every fault at once."""
    schema = resource_schema()
    whole = cast(Raw, complete(schema, dict(raw)))
    faults = (*_wrong_identity(whole), *breaches(schema, whole))
    known = {fault.path for fault in faults}
    faults += tuple(fault for fault in _wrong_schedule(whole) if fault.path not in known)
    if faults:
        raise SpecInvalid(faults)
    return TrackingServer(metadata=_metadata(whole["metadata"]), spec=_spec(whole["spec"]))


def _wrong_identity(raw: Raw) -> tuple[Fault, ...]:
    """What an API server sees to before any schema: the kind, and that there is a name."""
    faults: list[Fault] = []
    for field, expected in (("apiVersion", f"{names.GROUP}/{names.VERSION}"), ("kind", names.KIND)):
        if raw.get(field) != expected:
            faults.append(Fault(path=field, message=f"must be {expected}, not {raw.get(field)!r}"))
    metadata = raw.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(cast(Raw, metadata).get("name"), str):
        faults.append(Fault(path="metadata.name", message="is required"))
        raise SpecInvalid(tuple(faults))
    return tuple(faults)


def _wrong_schedule(raw: Raw) -> tuple[Fault, ...]:
    """The schema knows the form of a schedule only; Kubernetes would refuse minute 75 when the CronJob is applied."""
    match raw:
        case {"spec": {"gc": {"schedule": str(schedule)}}}:
            try:
                parse_schedule(schedule)
            except ValueError as error:
                return (Fault(path="spec.gc.schedule", message=str(error)),)
        case _:
            pass
    return ()


def _metadata(raw: Raw) -> Metadata:
    return Metadata(
        name=raw["name"],
        namespace=raw.get("namespace", "default"),
        uid=raw.get("uid", ""),
        generation=raw.get("generation", 0),
        annotations=raw.get("annotations", {}),
        is_deleted="deletionTimestamp" in raw,
    )


def _spec(raw: Raw) -> Spec:
    return Spec(
        image=raw.get("image"),
        image_pull_policy=raw.get("imagePullPolicy"),
        image_pull_secrets=tuple(secret["name"] for secret in raw.get("imagePullSecrets", ())),
        replicas=raw["replicas"],
        server=_server_options(raw["server"]),
        database=_database(raw["database"]),
        artifacts=_artifacts(raw["artifacts"]),
        upgrade=_upgrade(raw["upgrade"]),
        gc=_garbage_collection(raw["gc"]) if "gc" in raw else None,
        networking=Networking(service=_service(raw["networking"]["service"])),
        suspend=raw["suspend"],
        deletion=Deletion(policy=raw["deletion"]["policy"]),
        template=_template(raw["template"]),
    )


def _server_options(raw: Raw) -> ServerOptions:
    webhooks = raw.get("webhooks", {})
    key = "secretEncryptionKeySecretRef"
    return ServerOptions(
        workers=raw["workers"],
        allowed_hosts=tuple(raw.get("allowedHosts", ())),
        webhook_key=_secret_key(webhooks[key]) if key in webhooks else None,
    )


def _volume(raw: Raw) -> Volume:
    if "claimName" in raw:
        return ExistingClaim(name=raw["claimName"])
    template = raw["volumeClaimTemplate"]
    metadata = template.get("metadata", {})
    return VolumeClaimTemplate(
        access_modes=tuple(template["spec"]["accessModes"]),
        storage=template["spec"]["resources"]["requests"]["storage"],
        storage_class_name=template["spec"].get("storageClassName"),
        labels=metadata.get("labels", {}),
        annotations=metadata.get("annotations", {}),
    )


def _database(raw: Raw) -> Database:
    if "sqlite" in raw:
        return Sqlite(volume=_volume(raw["sqlite"]))
    return ExternalDatabase(uri_secret_ref=_secret_key(raw["uriSecretRef"]))


def _artifacts(raw: Raw) -> Artifacts:
    return Artifacts(access=raw["access"], root=raw.get("root", ""), store=_store(raw["store"]))


def _store(raw: Raw) -> ArtifactStore:
    match raw:
        case {"s3": s3}:
            return S3Store(
                bucket=s3["bucket"],
                region=s3.get("region"),
                endpoint=s3.get("endpoint"),
                path_style=s3["pathStyle"],
                sse=_encryption(s3["sse"]) if "sse" in s3 else None,
                ca_secret_ref=_certificates(s3),
                credentials=_credentials(s3["credentials"]),
            )
        case {"gcs": gcs}:
            return GcsStore(
                bucket=gcs["bucket"],
                project=gcs.get("project"),
                endpoint=gcs.get("endpoint"),
                ca_secret_ref=_certificates(gcs),
                credentials=_credentials(gcs["credentials"]),
            )
        case {"azure": azure}:
            return AzureStore(
                account=azure["account"],
                container=azure["container"],
                endpoint_suffix=azure["endpointSuffix"],
                endpoint=azure.get("endpoint"),
                ca_secret_ref=_certificates(azure),
                credentials=_credentials(azure["credentials"]),
            )
        case _:
            return VolumeStore(volume=_volume(raw["volume"]))


def _encryption(raw: Raw) -> ServerSideEncryption:
    return ServerSideEncryption(mode=raw["mode"], kms_key_id=raw.get("kmsKeyId"))


def _certificates(raw: Raw) -> SecretKey | None:
    return _secret_key(raw["caSecretRef"]) if "caSecretRef" in raw else None


def _credentials(raw: Raw) -> Credentials:
    match raw:
        case {"secretRef": secret}:
            return SecretCredentials(name=secret["name"], keys=secret["keys"])
        case {"workloadIdentity": identity}:
            return WorkloadIdentity(service_account_annotations=identity["serviceAccountAnnotations"])
        case _:
            return Ambient()


def _secret_key(raw: Raw) -> SecretKey:
    return SecretKey(name=raw["name"], key=raw["key"])


def _upgrade(raw: Raw) -> Upgrade:
    backup = raw["backup"]
    return Upgrade(
        backup=Backup(required=backup["required"], method=Dump(volume=_volume(backup["method"]["dump"]["volume"]))),
        hooks=Hooks(pre_migration=tuple(_hook(hook) for hook in raw["hooks"].get("preMigration", ()))),
        on_failure=raw["onFailure"],
    )


def _hook(raw: Raw) -> Hook:
    return Hook(
        name=raw["name"],
        image=raw["image"],
        command=tuple(raw.get("command", ())),
        args=tuple(raw.get("args", ())),
        env=tuple(_env_var(variable) for variable in raw.get("env", ())),
    )


def _env_var(raw: Raw) -> EnvVar:
    if "value" in raw:
        return EnvValue(name=raw["name"], value=raw["value"])
    return EnvFromSecret(name=raw["name"], secret_key_ref=_secret_key(raw["valueFrom"]["secretKeyRef"]))


def _garbage_collection(raw: Raw) -> GarbageCollection:
    return GarbageCollection(schedule=raw["schedule"], time_zone=raw["timeZone"], older_than=raw["olderThan"])


def _service(raw: Raw) -> Service:
    return Service(
        type=raw["type"], port=raw["port"], node_port=raw.get("nodePort"), annotations=raw.get("annotations", {})
    )


def _template(raw: Raw) -> Template:
    ids = raw["securityContext"]
    return Template(
        resources=raw["resources"],
        node_selector=raw.get("nodeSelector", {}),
        tolerations=tuple(raw.get("tolerations", ())),
        affinity=raw.get("affinity", {}),
        labels=raw.get("labels", {}),
        annotations=raw.get("annotations", {}),
        security_context=SecurityContext(
            run_as_user=ids.get("runAsUser"), run_as_group=ids.get("runAsGroup"), fs_group=ids.get("fsGroup")
        ),
    )
