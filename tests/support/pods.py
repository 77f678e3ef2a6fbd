"""Pods that stories make by hand: one container under restricted Pod Security, with volumes if need be."""

from collections.abc import Mapping, Sequence

from tests.support.kubectl import Kubectl, Manifest, eventually

SERVER_IMAGE = "trackplane-server:dev"
USER = 10001
"""As whom the operator runs a server unless told otherwise."""


def a_pod(
    name: str,
    command: Sequence[str],
    *,
    image: str = SERVER_IMAGE,
    user: int = USER,
    claims: Mapping[str, str] | None = None,
) -> Manifest:
    """`claims` are the names of PersistentVolumeClaims by the folder that each is mounted at. /tmp is writable."""
    mounts = [{"name": "tmp", "mountPath": "/tmp"}]
    volumes: list[Manifest] = [{"name": "tmp", "emptyDir": {}}]
    for folder, claim in (claims or {}).items():
        mounts.append({"name": claim, "mountPath": folder})
        volumes.append({"name": claim, "persistentVolumeClaim": {"claimName": claim}})
    container = {
        "name": "it",
        "image": image,
        "imagePullPolicy": "Never",
        "command": list(command),
        "volumeMounts": mounts,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": user,
                "runAsGroup": user,
                "fsGroup": user,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": volumes,
        },
    }


def a_claim(name: str, size: str = "1Gi") -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    }


def wait_until_ended(kubectl: Kubectl, pod: str) -> str:
    """The phase that it ended in."""

    def phase() -> str | None:
        found = kubectl.get("pod", pod)
        now = str(found["status"].get("phase")) if found else ""
        return now if now in {"Succeeded", "Failed"} else None

    return eventually(f"pod {pod} has ended", phase)


def wait_until_running(kubectl: Kubectl, pod: str) -> None:
    kubectl("wait", f"pod/{pod}", "--for=condition=Ready", "--timeout=120s", seconds=130)


def termination_message(pod: Manifest) -> str:
    return str(pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"])
