"""The CEL rules of the CRD, each beside a Python twin that says the same where no API server evaluates them.

The CRD stays the place of a rule: where it applies and what its message is are read from there, and the twin is found
by the text of the rule. Twins see values with all defaults filled in.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from tracking_operator.resource import names

Rule: TypeAlias = Callable[[Any], bool]


def _name_is_short(resource: Mapping[str, Any]) -> bool:
    return len(resource["metadata"]["name"]) <= names.LONGEST_NAME


def _name_suits_a_service(resource: Mapping[str, Any]) -> bool:
    return re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", resource["metadata"]["name"]) is not None


def _sqlite_has_one_replica(spec: Mapping[str, Any]) -> bool:
    return "sqlite" not in spec["database"] or _replicas(spec) <= 1


def _replicas_share_the_artifacts(spec: Mapping[str, Any]) -> bool:
    template = spec["artifacts"]["store"].get("volume", {}).get("volumeClaimTemplate")
    return _replicas(spec) <= 1 or template is None or "ReadWriteMany" in template["spec"]["accessModes"]


def _replicas(spec: Mapping[str, Any]) -> int:
    replicas: int = spec["replicas"]
    return replicas


def _a_return_has_a_backup(upgrade: Mapping[str, Any]) -> bool:
    return bool(upgrade["onFailure"] != "RestoreBackup" or upgrade["backup"]["required"] != "Never")


def _has_one_of(*keys: str) -> Rule:
    def holds(value: Mapping[str, Any]) -> bool:
        return sum(key in value for key in keys) == 1

    return holds


def _a_volume_is_proxied(artifacts: Mapping[str, Any]) -> bool:
    return "volume" not in artifacts["store"] or bool(artifacts["access"] == "Proxied")


def _a_volume_has_no_root(artifacts: Mapping[str, Any]) -> bool:
    return "volume" not in artifacts["store"] or "root" not in artifacts


def _a_key_of_kms_is_used(sse: Mapping[str, Any]) -> bool:
    return "kmsKeyId" not in sse or bool(sse["mode"] == "KMS")


def _node_port_has_its_type(service: Mapping[str, Any]) -> bool:
    return "nodePort" not in service or bool(service["type"] != "ClusterIP")


def _keys_avoid(*prefixes: str) -> Rule:
    def holds(value: Mapping[str, Any]) -> bool:
        return not any(key.startswith(prefixes) for key in value)

    return holds


RULES: Final[Mapping[str, Rule]] = {
    "self.metadata.name.size() <= 40": _name_is_short,
    "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')": _name_suits_a_service,
    "!has(self.database.sqlite) || self.replicas <= 1": _sqlite_has_one_replica,
    "self.replicas <= 1 || !has(self.artifacts.store.volume) || "
    "!has(self.artifacts.store.volume.volumeClaimTemplate) || "
    "self.artifacts.store.volume.volumeClaimTemplate.spec.accessModes.exists(mode, mode == 'ReadWriteMany')": (
        _replicas_share_the_artifacts
    ),
    "has(self.sqlite) != has(self.uriSecretRef)": _has_one_of("sqlite", "uriSecretRef"),
    "has(self.volumeClaimTemplate) != has(self.claimName)": _has_one_of("volumeClaimTemplate", "claimName"),
    "[has(self.volume), has(self.s3), has(self.gcs), has(self.azure)].exists_one(given, given)": (
        _has_one_of("volume", "s3", "gcs", "azure")
    ),
    "!has(self.store.volume) || self.access == 'Proxied'": _a_volume_is_proxied,
    "!has(self.store.volume) || !has(self.root)": _a_volume_has_no_root,
    "!has(self.kmsKeyId) || self.mode == 'KMS'": _a_key_of_kms_is_used,
    "[has(self.secretRef), has(self.workloadIdentity), has(self.ambient)].exists_one(given, given)": (
        _has_one_of("secretRef", "workloadIdentity", "ambient")
    ),
    "[has(self.connectionString), has(self.accountKey), has(self.sasToken)].exists_one(given, given)": (
        _has_one_of("connectionString", "accountKey", "sasToken")
    ),
    "has(self.value) != has(self.valueFrom)": _has_one_of("value", "valueFrom"),
    "!has(self.onFailure) || self.onFailure != 'RestoreBackup' || self.backup.required != 'Never'": (
        _a_return_has_a_backup
    ),
    "!has(self.nodePort) || self.type != 'ClusterIP'": _node_port_has_its_type,
    "self.all(key, !key.startsWith('app.kubernetes.io/') && !key.startsWith('trackplane.io/'))": (
        _keys_avoid("app.kubernetes.io/", "trackplane.io/")
    ),
    "self.all(key, !key.startsWith('trackplane.io/'))": _keys_avoid("trackplane.io/"),
}
