"""`parse`: the one way from a resource to its types."""

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from tracking_operator.errors import Fault, SpecInvalid
from tracking_operator.resource import names
from tracking_operator.resource.schedule import parse_schedule
from tracking_operator.resource.schema import breaches, complete, resource_schema
from tracking_operator.resource.spec import (
    Ambient,
    Artifacts,
    ArtifactStore,
    AzureStore,
    Backup,
    Credentials,
    Database,
    Deletion,
    Dump,
    EnvFromSecret,
    EnvValue,
    EnvVar,
    ExistingClaim,
    ExternalDatabase,
    GarbageCollection,
    GcsStore,
    Hook,
    Hooks,
    Metadata,
    Networking,
    S3Store,
    SecretCredentials,
    SecretKey,
    SecurityContext,
    ServerOptions,
    ServerSideEncryption,
    Service,
    Spec,
    Sqlite,
    Template,
    TrackingServer,
    Upgrade,
    Volume,
    VolumeClaimTemplate,
    VolumeStore,
    WorkloadIdentity,
)

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
