"""Every name that the operator gives: group, labels, annotations, children. Other systems read them, so they stay."""

import hashlib
import json
from typing import Final

from tracking_operator.resource.kinds import TRACKING_SERVER

GROUP: Final = TRACKING_SERVER.group
VERSION: Final = TRACKING_SERVER.version
KIND: Final = TRACKING_SERVER.kind
PLURAL: Final = TRACKING_SERVER.plural

FIELD_MANAGER: Final = "trackplane-operator"
"""The owner of our fields in server-side apply."""

# Labels, on every child.
NAME_LABEL: Final = "app.kubernetes.io/name"
INSTANCE_LABEL: Final = "app.kubernetes.io/instance"
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
COMPONENT_LABEL: Final = "app.kubernetes.io/component"
SERVER_UID_LABEL: Final = "trackplane.io/server-uid"
APPLICATION: Final = "tracking-server"

# Values of the component label.
SERVER: Final = "server"
GC: Final = "gc"
CHECK: Final = "check"
STORE_CHECK: Final = "store-check"
HOOK: Final = "hook"
BACKUP: Final = "backup"
VERIFY: Final = "verify"
MIGRATE: Final = "migrate"
RESTORE: Final = "restore"

# Annotations that people set on a TrackingServer.
RETRY_ANNOTATION: Final = "trackplane.io/retry"
"""Any new value: try a failed upgrade again."""

# Annotations that we set.
REFERENCES_ANNOTATION: Final = "trackplane.io/references"
"""On the pods of the server: a hash of the resourceVersions of their Secrets, so that a changed Secret rolls them."""
APPLIED_ANNOTATION: Final = "trackplane.io/applied"
"""On a child: a hash of the manifest that was applied last, so that an object at rest is left alone."""
TARGET_ANNOTATION: Final = "trackplane.io/target"
"""On the Deployment and on a Job: a hash of the image and the database that it was made for."""
ATTEMPT_ANNOTATION: Final = "trackplane.io/attempt"
"""On a Job: a hash of the image and the value of the retry annotation. One attempt migrates once."""
PLAN_ANNOTATION: Final = "trackplane.io/plan"
"""On a Job: the plan that it is a step of. An edit of what the steps do, or a new retry, makes another plan."""
WINDOW_ANNOTATION: Final = "trackplane.io/window"
"""On a Job: the time without a server that it ran in. What it did counts only until a server runs again."""
ARCHIVE_ANNOTATION: Final = "trackplane.io/archive"
"""On a Job: the backup that it reads, or that was taken before it."""
NODE_ANNOTATION: Final = "trackplane.io/node"
"""On a Job: the node that it is bound to, because a volume is in use there."""
STOPPED_ANNOTATION: Final = "trackplane.io/stopped"
"""On a Job that could not start and that the operator stopped: why."""

# The name of the container that does the work, in every pod of ours.
SERVER_CONTAINER: Final = "server"
JOB_CONTAINER: Final = "job"

LONGEST_NAME: Final = 40
"""Of a TrackingServer. Its children have longer names, and 63 characters are the limit for a label's value."""


def database_claim(name: str) -> str:
    return f"{name}-database"


def artifacts_claim(name: str) -> str:
    return f"{name}-artifacts"


def backups_claim(name: str) -> str:
    return f"{name}-backups"


def binding(name: str) -> str:
    return f"{name}-binding"


def gc_cron_job(name: str) -> str:
    return f"{name}-gc"


def check_job(name: str, job_hash: str) -> str:
    return f"{name}-check-{job_hash}"


def store_check_job(name: str, job_hash: str) -> str:
    return f"{name}-store-{job_hash}"


def hook_job(name: str, index: int, job_hash: str) -> str:
    """`index` counts the hooks from 0, in the order of the list."""
    return f"{name}-hook-{index}-{job_hash}"


def backup_job(name: str, job_hash: str) -> str:
    return f"{name}-backup-{job_hash}"


def verify_job(name: str, job_hash: str) -> str:
    return f"{name}-verify-{job_hash}"


def migration_job(name: str, job_hash: str) -> str:
    return f"{name}-migrate-{job_hash}"


def restore_job(name: str, job_hash: str) -> str:
    return f"{name}-restore-{job_hash}"


def job_hash(**facts: object) -> str:
    """Ten hexadecimal digits that stand for what a Job does; equal facts give equal digits, in any order and process.

    Facts are JSON values: text, numbers, booleans, None, and lists, tuples or dictionaries of these.
    """
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def selector(name: str) -> dict[str, str]:
    """What the Service, the Deployment and `/scale` select the pods of the server by. It never changes."""
    return {NAME_LABEL: APPLICATION, INSTANCE_LABEL: name, COMPONENT_LABEL: SERVER}


def labels(name: str, uid: str, component: str) -> dict[str, str]:
    """The labels of a child. Without a uid (rendered, not yet on a cluster) the uid's label is left out."""
    found = {
        NAME_LABEL: APPLICATION,
        INSTANCE_LABEL: name,
        COMPONENT_LABEL: component,
        MANAGED_BY_LABEL: FIELD_MANAGER,
    }
    return {**found, SERVER_UID_LABEL: uid} if uid else found


def owned_by(name: str, uid: str) -> dict[str, str]:
    """The labels by which the children of one TrackingServer are listed."""
    return {**made_for(name), SERVER_UID_LABEL: uid}


def made_for(name: str) -> dict[str, str]:
    """The labels of the children of every TrackingServer that has, or had, this name."""
    return {INSTANCE_LABEL: name, MANAGED_BY_LABEL: FIELD_MANAGER}
