"""The status of a pod with one container, as the kubelet reports it. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tracking_operator.resource.kinds import Manifest


def waiting(pod: Manifest, reason: str, message: str, *, restarts: int) -> Manifest:
    """The container cannot be started, or not yet again."""
    state = {"waiting": {"reason": reason, "message": message}}
    phase = "Running" if restarts else "Pending"
    return _status(pod, phase, state, is_ready=False, restarts=restarts)


def running(pod: Manifest, started_at: datetime, *, is_ready: bool, restarts: int) -> Manifest:
    state = {"running": {"startedAt": _timestamp(started_at)}}
    return _status(pod, "Running", state, is_ready=is_ready, restarts=restarts)


def terminated(pod: Manifest, started_at: datetime, now: datetime, exit_code: int, report: str) -> Manifest:
    state = {
        "terminated": {
            "exitCode": exit_code,
            "reason": "Error" if exit_code else "Completed",
            "message": report,
            "startedAt": _timestamp(started_at),
            "finishedAt": _timestamp(now),
        }
    }
    return _status(pod, "Failed" if exit_code else "Succeeded", state, is_ready=False, restarts=0)


def _status(pod: Manifest, phase: str, state: Mapping[str, Any], *, is_ready: bool, restarts: int) -> Manifest:
    container = pod["spec"]["containers"][0]
    return {
        "phase": phase,
        "conditions": [{"type": "Ready", "status": "True" if is_ready else "False"}],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "ready": is_ready,
                "restartCount": restarts,
                "state": state,
            }
        ],
    }


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
