"""What the operator asks of a Kubernetes API server, and what each request promises.

`memory.py` and `kubernetes_api.py` keep these promises; `tests/support/cluster_contract.py` holds both to them.
"""

from collections.abc import Mapping
from typing import Protocol

from tracking_operator.resource.kinds import Kind, Manifest, Ref


class Cluster(Protocol):
    """Raises only `ClusterRefused` (the API server said no) and `NotReadyYet` (ask again later).

    Objects are answered as the API server stores them, but without `metadata.managedFields`. Each answer is the
    caller's own: changing it changes nothing else.
    """

    async def get(self, ref: Ref) -> Manifest | None:
        """The object as it is now, not from a cache; None when there is none."""
        ...

    async def get_metadata(self, ref: Ref) -> Manifest | None:
        """Only `metadata` (PartialObjectMetadata): the content never leaves the API server.

        Secrets are read in no other way.
        """
        ...

    async def list(
        self, kind: Kind, namespace: str | None, *, labels: Mapping[str, str] | None = None
    ) -> tuple[Manifest, ...]:
        """All objects that carry all the given labels, ordered by namespace and name; None means all namespaces."""
        ...

    async def apply(self, manifest: Manifest) -> Manifest:
        """Server-side apply with the operator's field manager and force.

        Creates the object when there is none. A field that an earlier apply set and this one leaves out is removed;
        fields of others stay. Applying what is there already changes nothing, not even the resourceVersion. The
        status is not touched.
        """
        ...

    async def apply_status(self, manifest: Manifest) -> Manifest:
        """The same on the /status subresource: only `status` is taken from the manifest, and the generation stays.

        The object must exist: `NotReadyYet` when it does not.
        """
        ...

    async def scale(self, ref: Ref, replicas: int) -> None:
        """Sets the replicas through /scale, so that the pod template stays as it is.

        `NotReadyYet` when there is no such object.
        """
        ...

    async def create(self, manifest: Manifest) -> Manifest:
        """Creates an object that is never changed afterwards: a Job, an Event.

        A Job of that name with the same `trackplane.io/server-uid` label is a success and answered as it is; any other
        object of that name is `ClusterRefused` with status 409.
        """
        ...

    async def delete(self, ref: Ref, *, uid: str | None = None) -> None:
        """Deletes with background propagation. With `uid`, only that very object.

        That there is nothing to delete is a success.
        """
        ...
