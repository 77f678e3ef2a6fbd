"""Plays the Job controller and the kubelet on an API server without nodes: a Job ends with the report it is given."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.support.api_server import ApiServer
from tracking_operator.resource.kinds import Manifest


def end_job(server: ApiServer, job: Manifest, report: Mapping[str, Any]) -> None:
    """The Job's pod has run and left its report; then the Job is complete."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    metadata = job["metadata"]
    template = job["spec"]["template"]
    owner = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    pod = server.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                **template["metadata"],
                "name": f"{metadata['name']}-x7k2p",
                "namespace": metadata["namespace"],
                "ownerReferences": [owner],
            },
            "spec": template["spec"],
        }
    )
    ended = {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now, "message": json.dumps(report)}
    (container,) = template["spec"]["containers"]
    _set_status(
        server,
        pod,
        "pods",
        {
            "phase": "Succeeded",
            "containerStatuses": [
                {
                    "name": container["name"],
                    "image": container["image"],
                    "imageID": "",
                    "ready": False,
                    "restartCount": 0,
                    "state": {"terminated": ended},
                }
            ],
        },
    )
    conditions = [
        {"type": kind, "status": "True", "lastProbeTime": now, "lastTransitionTime": now}
        for kind in ("SuccessCriteriaMet", "Complete")
    ]
    status = {"startTime": now, "completionTime": now, "succeeded": 1, "conditions": conditions}
    _set_status(server, job, "jobs", status)


def _set_status(server: ApiServer, manifest: Manifest, plural: str, status: Mapping[str, Any]) -> None:
    root = f"/apis/{manifest['apiVersion']}" if "/" in manifest["apiVersion"] else f"/api/{manifest['apiVersion']}"
    metadata = manifest["metadata"]
    path = f"{root}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}/status"
    server.request("PUT", path, {**manifest, "status": status})
