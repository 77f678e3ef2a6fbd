"""TrackingServers that the definition accepts, and such that it refuses, each with the field that is at fault.

Two judges have to agree on every one of them: our own `parse`, and a real API server.
"""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.support.servers import AZURE, EXTERNAL, GCS, S3, SHARED_VOLUME, SQLITE, a_resource, a_store
from tracking_operator.resource.kinds import Manifest

HOOK: Final[dict[str, Any]] = {"name": "notify", "image": "registry.example.com/notify:1"}


def _sqlite(**fields: Any) -> dict[str, Any]:
    return {"sqlite": fields}


def _volume(**fields: Any) -> dict[str, Any]:
    return {"store": {"volume": fields}}


def _claim(**spec: Any) -> dict[str, Any]:
    return {"volumeClaimTemplate": {"spec": spec}}


def _hook(**fields: Any) -> dict[str, Any]:
    return {"hooks": {"preMigration": [{**HOOK, **fields}]}}


def _service(**fields: Any) -> dict[str, Any]:
    return {"service": fields}


GOOD: Final[dict[str, Manifest]] = {
    "the smallest": a_resource(),
    "an external database": a_resource(database=EXTERNAL),
    "a key of the Secret": a_resource(database={"uriSecretRef": {"name": "database", "key": "postgres.url"}}),
    "claims of others": a_resource(database=_sqlite(claimName="old"), artifacts=_volume(claimName="files")),
    "many replicas": a_resource(database=EXTERNAL, artifacts=SHARED_VOLUME, replicas=3),
    "many replicas on a claim of others": a_resource(
        database=EXTERNAL, artifacts=_volume(claimName="files"), replicas=100
    ),
    "no replica": a_resource(replicas=0),
    "a name of 40 characters": a_resource(name="a" * 40),
    "a null for a default": a_resource(replicas=None, gc=None),
    "images": a_resource(
        image="registry.example.com:5000/team/server@sha256:" + "0" * 64,
        imagePullPolicy="Always",
        imagePullSecrets=[{"name": "one"}, {"name": "two"}],
    ),
    "options": a_resource(
        server={"workers": 64, "allowedHosts": ["mlflow.example.com", "*.example.com:8443", "[::1]"]}
    ),
    "a key for webhooks": a_resource(
        database=EXTERNAL, server={"webhooks": {"secretEncryptionKeySecretRef": {"name": "webhooks", "key": "fernet"}}}
    ),
    "no key for webhooks": a_resource(server={"webhooks": {}}),
    "storage": a_resource(
        database=_sqlite(**_claim(storageClassName="fast", resources={"requests": {"storage": "1.5Ti"}}))
    ),
    "upgrade": a_resource(
        upgrade={
            "backup": {"required": "Always", "method": {"dump": {"volume": {"claimName": "backups"}}}},
            "hooks": {
                "preMigration": [
                    HOOK,
                    {
                        "name": "dump",
                        "image": "postgres:17",
                        "command": ["sh", "-c", "pg_dump $URI"],
                        "args": ["--verbose"],
                        "env": [
                            {"name": "EMPTY", "value": ""},
                            {"name": "URI", "valueFrom": {"secretKeyRef": {"name": "database", "key": "uri"}}},
                        ],
                    },
                ]
            },
            "onFailure": "RestoreBackup",
        }
    ),
    "hold without a backup": a_resource(upgrade={"backup": {"required": "Never"}}),
    "collection": a_resource(
        gc={"schedule": "*/15 1-5 1,15 jan-mar MON", "timeZone": "Europe/Berlin", "olderThan": "1d12h"}
    ),
    "collection by the day": a_resource(gc={"schedule": "@daily", "olderThan": "12h"}),
    "a node port": a_resource(networking=_service(type="NodePort", nodePort=30500, port=80, annotations={"a/b": "c"})),
    "a bucket of S3": a_resource(artifacts=a_store("s3", S3)),
    "every option of S3": a_resource(
        database=EXTERNAL,
        replicas=3,
        artifacts=a_store(
            "s3",
            {
                **S3,
                "region": "eu-central-1",
                "endpoint": "http://minio.storage.svc:9000",
                "pathStyle": True,
                "sse": {"mode": "KMS", "kmsKeyId": "arn:aws:kms:eu-central-1:1:key/a-b"},
                "caSecretRef": {"name": "ca", "key": "pem"},
                "credentials": {"secretRef": {"name": "s", "keys": {"sessionToken": "token"}}},
            },
            access="Direct",
            root="team/mlflow",
        ),
    ),
    "a bucket of GCS": a_resource(artifacts=a_store("gcs", {**GCS, "project": "acme"}, access="Presigned")),
    "a container of Azure": a_resource(artifacts=a_store("azure", AZURE)),
    "a signature of Azure": a_resource(
        artifacts=a_store(
            "azure",
            {**AZURE, "credentials": {"secretRef": {"name": "s", "keys": {"sasToken": "sas"}}}},
            access="Direct",
        )
    ),
    "an identity": a_resource(
        artifacts=a_store(
            "s3",
            {
                "bucket": "models",
                "credentials": {
                    "workloadIdentity": {
                        "serviceAccountAnnotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:r"}
                    }
                },
            },
        )
    ),
    "an ambient identity": a_resource(artifacts=a_store("gcs", {"bucket": "models", "credentials": {"ambient": {}}})),
    "suspended": a_resource(suspend=True, deletion={"policy": "Delete"}),
    "placement": a_resource(
        template={
            "resources": {"requests": {"cpu": 1, "memory": "512Mi"}},
            "securityContext": {},
            "labels": {"team": "vision"},
            "annotations": {"example.com/note": "a b"},
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"key": "dedicated", "operator": "Equal", "value": "ml", "effect": "NoSchedule"}],
            "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
        }
    ),
}

BAD: Final[dict[str, tuple[Manifest, str]]] = {
    "no database": (a_resource(database=None), "spec.database"),
    "no artifacts": (a_resource(artifacts=None), "spec.artifacts"),
    "an empty database": (a_resource(database={}), "spec.database"),
    "two databases": (a_resource(database={**SQLITE, **EXTERNAL}), "spec.database"),
    "two volumes": (a_resource(database=_sqlite(claimName="a", volumeClaimTemplate={})), "spec.database.sqlite"),
    "no volume": (a_resource(artifacts=_volume()), "spec.artifacts.store.volume"),
    "no store": (a_resource(artifacts={"store": {}}), "spec.artifacts.store"),
    "two stores": (
        a_resource(artifacts={"store": {"s3": S3, "gcs": GCS}}),
        "spec.artifacts.store",
    ),
    "a volume that clients reach": (
        a_resource(artifacts={"access": "Direct", "store": {"volume": {"claimName": "a"}}}),
        "spec.artifacts.access",
    ),
    "a volume with a root": (
        a_resource(artifacts={"root": "a", "store": {"volume": {"claimName": "a"}}}),
        "spec.artifacts.root",
    ),
    "an unknown access": (a_resource(artifacts=a_store("s3", S3, access="proxied")), "spec.artifacts.access"),
    "a root that leads out": (a_resource(artifacts=a_store("s3", S3, root="a/../b")), "spec.artifacts.root"),
    "a root with a slash before it": (a_resource(artifacts=a_store("s3", S3, root="/a")), "spec.artifacts.root"),
    "a bucket with a path": (
        a_resource(artifacts=a_store("s3", {**S3, "bucket": "a/b"})),
        "spec.artifacts.store.s3.bucket",
    ),
    "no credentials": (
        a_resource(artifacts=a_store("s3", {"bucket": "models"})),
        "spec.artifacts.store.s3.credentials",
    ),
    "two credentials": (
        a_resource(artifacts=a_store("s3", {**S3, "credentials": {"secretRef": {"name": "s"}, "ambient": {}}})),
        "spec.artifacts.store.s3.credentials",
    ),
    "an endpoint with a password": (
        a_resource(artifacts=a_store("s3", {**S3, "endpoint": "https://a:b@example.com"})),
        "spec.artifacts.store.s3.endpoint",
    ),
    "a key of KMS for S3": (
        a_resource(artifacts=a_store("s3", {**S3, "sse": {"mode": "S3", "kmsKeyId": "a"}})),
        "spec.artifacts.store.s3.sse.kmsKeyId",
    ),
    "no annotation of an identity": (
        a_resource(
            artifacts=a_store(
                "gcs", {"bucket": "models", "credentials": {"workloadIdentity": {"serviceAccountAnnotations": {}}}}
            )
        ),
        "spec.artifacts.store.gcs.credentials.workloadIdentity.serviceAccountAnnotations",
    ),
    "two keys of Azure": (
        a_resource(
            artifacts=a_store(
                "azure",
                {**AZURE, "credentials": {"secretRef": {"name": "s", "keys": {"accountKey": "a", "sasToken": "b"}}}},
            )
        ),
        "spec.artifacts.store.azure.credentials.secretRef.keys",
    ),
    "an account with a dash": (
        a_resource(artifacts=a_store("azure", {**AZURE, "account": "a-b-c"})),
        "spec.artifacts.store.azure.account",
    ),
    "SQLite for two": (a_resource(replicas=2), "spec.replicas"),
    "one volume for two": (a_resource(database=EXTERNAL, replicas=2), "spec.replicas"),
    "too many replicas": (a_resource(database=EXTERNAL, artifacts=SHARED_VOLUME, replicas=101), "spec.replicas"),
    "text for a number": (a_resource(replicas="1"), "spec.replicas"),
    "a truth for a number": (a_resource(replicas=True), "spec.replicas"),
    "a name that is too long": (a_resource(name="a" * 41), "metadata.name"),
    "a name that begins with a digit": (a_resource(name="1a"), "metadata.name"),
    "a name with a dot": (a_resource(name="a.b"), "metadata.name"),
    "an image with a space": (a_resource(image="a b"), "spec.image"),
    "no image at all": (a_resource(image=""), "spec.image"),
    "an unknown pull policy": (a_resource(imagePullPolicy="always"), "spec.imagePullPolicy"),
    "a pull secret twice": (a_resource(imagePullSecrets=[{"name": "a"}, {"name": "a"}]), "spec.imagePullSecrets[1]"),
    "no worker": (a_resource(server={"workers": 0}), "spec.server.workers"),
    "a host with a comma": (a_resource(server={"allowedHosts": ["a,b"]}), "spec.server.allowedHosts[0]"),
    "a host twice": (a_resource(server={"allowedHosts": ["a", "a"]}), "spec.server.allowedHosts[1]"),
    "a key for webhooks in the resource": (
        a_resource(server={"webhooks": {"secretEncryptionKey": "k"}}),
        "spec.server.webhooks.secretEncryptionKey",
    ),
    "a Secret without a name": (
        a_resource(database={"uriSecretRef": {"key": "uri"}}),
        "spec.database.uriSecretRef.name",
    ),
    "an unknown access mode": (
        a_resource(database=_sqlite(**_claim(accessModes=["RWO"]))),
        "spec.database.sqlite.volumeClaimTemplate.spec.accessModes[0]",
    ),
    "no access mode": (
        a_resource(database=_sqlite(**_claim(accessModes=[]))),
        "spec.database.sqlite.volumeClaimTemplate.spec.accessModes",
    ),
    "a size that is none": (
        a_resource(artifacts=_volume(**_claim(resources={"requests": {"storage": "ten"}}))),
        "spec.artifacts.store.volume.volumeClaimTemplate.spec.resources.requests.storage",
    ),
    "a return without a backup": (
        a_resource(upgrade={"onFailure": "RestoreBackup", "backup": {"required": "Never"}}),
        "spec.upgrade.onFailure",
    ),
    "an unknown policy": (a_resource(upgrade={"backup": {"required": "never"}}), "spec.upgrade.backup.required"),
    "no method": (a_resource(upgrade={"backup": {"method": {}}}), "spec.upgrade.backup.method.dump"),
    "a hook without an image": (a_resource(upgrade=_hook(image=None)), "spec.upgrade.hooks.preMigration[0].image"),
    "a hook with a bad name": (a_resource(upgrade=_hook(name="No")), "spec.upgrade.hooks.preMigration[0].name"),
    "a hook twice": (
        a_resource(upgrade={"hooks": {"preMigration": [HOOK, HOOK]}}),
        "spec.upgrade.hooks.preMigration[1]",
    ),
    "too many hooks": (
        a_resource(upgrade={"hooks": {"preMigration": [{**HOOK, "name": f"n{number}"} for number in range(9)]}}),
        "spec.upgrade.hooks.preMigration",
    ),
    "a variable with two values": (
        a_resource(
            upgrade=_hook(env=[{"name": "A", "value": "1", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}])
        ),
        "spec.upgrade.hooks.preMigration[0].env[0]",
    ),
    "a variable without a value": (
        a_resource(upgrade=_hook(env=[{"name": "A"}])),
        "spec.upgrade.hooks.preMigration[0].env[0]",
    ),
    "a schedule of four fields": (a_resource(gc={"schedule": "0 4 * *"}), "spec.gc.schedule"),
    "collection without a schedule": (a_resource(gc={}), "spec.gc.schedule"),
    "a schedule and a line break": (a_resource(gc={"schedule": "@daily\n"}), "spec.gc.schedule"),
    "an age in minutes": (a_resource(gc={"schedule": "@daily", "olderThan": "30m"}), "spec.gc.olderThan"),
    "an age of nothing": (a_resource(gc={"schedule": "@daily", "olderThan": "0d"}), "spec.gc.olderThan"),
    "a time zone with a space": (a_resource(gc={"schedule": "@daily", "timeZone": "Mars Base"}), "spec.gc.timeZone"),
    "a node port without its type": (
        a_resource(networking=_service(nodePort=30500)),
        "spec.networking.service.nodePort",
    ),
    "a port that is none": (a_resource(networking=_service(port=0)), "spec.networking.service.port"),
    "an unknown type": (a_resource(networking=_service(type="Ingress")), "spec.networking.service.type"),
    "text for a truth": (a_resource(suspend="yes"), "spec.suspend"),
    "a label of ours": (a_resource(template={"labels": {"app.kubernetes.io/name": "x"}}), "spec.template.labels"),
    "an annotation of ours": (
        a_resource(template={"annotations": {"trackplane.io/references": "x"}}),
        "spec.template.annotations",
    ),
    "a quantity that is none": (
        a_resource(template={"resources": {"requests": {"cpu": "much"}}}),
        "spec.template.resources.requests[cpu]",
    ),
    "root": (
        a_resource(template={"securityContext": {"runAsUser": 0}}),
        "spec.template.securityContext.runAsUser",
    ),
    "an unknown field": (a_resource(replica=2), "spec.replica"),
    "an unknown field further in": (a_resource(gc={"schedule": "@daily", "olderThen": "1d"}), "spec.gc.olderThen"),
}

CHANGES_REFUSED: Final[dict[str, tuple[Manifest, Manifest]]] = {
    "another kind of database": (a_resource(), a_resource(database=EXTERNAL)),
    "another claim of the database": (
        a_resource(database=_sqlite(claimName="a")),
        a_resource(database=_sqlite(claimName="b")),
    ),
    "a claim of others for our own": (a_resource(), a_resource(database=_sqlite(claimName="b"))),
    "another volume of the artifacts": (a_resource(), a_resource(artifacts=_volume(claimName="b"))),
    "a bucket for a volume": (a_resource(), a_resource(artifacts=a_store("s3", S3))),
    "another cloud": (a_resource(artifacts=a_store("gcs", GCS)), a_resource(artifacts=a_store("azure", AZURE))),
    "a smaller volume": (
        a_resource(),
        a_resource(database=_sqlite(**_claim(resources={"requests": {"storage": "9Gi"}}))),
    ),
    "another storage class": (a_resource(), a_resource(database=_sqlite(**_claim(storageClassName="fast")))),
    "another access mode": (a_resource(), a_resource(artifacts=SHARED_VOLUME)),
}

CHANGES_ACCEPTED: Final[dict[str, tuple[Manifest, Manifest]]] = {
    "a larger volume": (
        a_resource(),
        a_resource(database=_sqlite(**_claim(resources={"requests": {"storage": "11Gi"}}))),
    ),
    "another access": (
        a_resource(artifacts=a_store("s3", S3)),
        a_resource(artifacts=a_store("s3", S3, access="Direct")),
    ),
    "an identity for a Secret": (
        a_resource(artifacts=a_store("s3", S3)),
        a_resource(artifacts=a_store("s3", {"bucket": "models", "credentials": {"ambient": {}}})),
    ),
    "another Secret": (a_resource(database=EXTERNAL), a_resource(database={"uriSecretRef": {"name": "other"}})),
    "another volume of the backups": (
        a_resource(),
        a_resource(upgrade={"backup": {"method": {"dump": {"volume": {"claimName": "elsewhere"}}}}}),
    ),
}


def good() -> list[Any]:
    return [pytest.param(resource, id=name) for name, resource in GOOD.items()]


def pairs(cases: Mapping[str, tuple[Any, Any]]) -> list[Any]:
    return [pytest.param(*case, id=name) for name, case in cases.items()]
