"""Reads everything that a decision about one TrackingServer needs. Of Secrets only the metadata."""

from collections.abc import Mapping
from typing import Any

from tracking_operator.cluster.client import Cluster
from tracking_operator.decisions.children import refs_of_children
from tracking_operator.decisions.observed import Observed, observe
from tracking_operator.decisions.ownership import ownership_of
from tracking_operator.resource import names
from tracking_operator.resource.kinds import DEPLOYMENT, JOB, POD, SECRET, Ref
from tracking_operator.resource.spec import TrackingServer


async def gather(server: TrackingServer, cluster: Cluster, *, status: Mapping[str, Any]) -> Observed:
    """`status` is what the resource says now. Children are read before Jobs, and Jobs before pods: a pod whose Job is
    not in the snapshot is seen as a pod without one, never a Job without its pods."""
    metadata = server.metadata
    found = {ref: await cluster.get(ref) for ref in refs_of_children(server)}
    secrets = dict.fromkeys(reference.secret_key.name for reference in server.references)
    jobs = await cluster.list(JOB, metadata.namespace, labels=names.owned_by(metadata.name, metadata.uid))
    pods = await cluster.list(POD, metadata.namespace, labels=names.made_for(metadata.name))
    ownership = ownership_of(server, found, pods)
    deployment = Ref(kind=DEPLOYMENT, namespace=metadata.namespace, name=metadata.name)
    return observe(
        deployment=ownership.children.get(deployment),
        ownership=ownership,
        jobs=jobs,
        secret_versions={name: await _version(cluster, metadata.namespace, name) for name in secrets},
        status=status,
    )


async def _version(cluster: Cluster, namespace: str, name: str) -> str | None:
    """None when there is no such Secret. A Secret that was made anew is another version, whatever its number."""
    found = await cluster.get_metadata(Ref(kind=SECRET, namespace=namespace, name=name))
    return None if found is None else f"{found['metadata']['uid']}/{found['metadata']['resourceVersion']}"
