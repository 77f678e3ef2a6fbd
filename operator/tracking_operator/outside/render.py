"""Prints what the operator would keep in the cluster for a TrackingServer: for review, `kubectl diff` and GitOps."""

from collections.abc import Iterator
from typing import Any

import yaml

from tracking_operator.desired.bundle import children
from tracking_operator.desired.places import CLUSTER
from tracking_operator.outside.documents import Documents
from tracking_operator.resource import names
from tracking_operator.resource.spec import TrackingServer, VolumeStore


class _Dumper(yaml.SafeDumper):
    """Writes a value that occurs twice out twice: anchors are hard to read in a diff."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # PyYAML calls it so
        return True


def render(documents: Documents, *, server_image: str) -> str:
    """The children of every TrackingServer as YAML documents; equal input gives equal text."""
    return "".join(_rendered(written.server, server_image) for written in documents.servers)


def _rendered(server: TrackingServer, server_image: str) -> str:
    image = server.spec.image or server_image
    manifests = children(server, image=image, references="", places=CLUSTER)
    texts = [yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, width=1000) for manifest in manifests]
    return "".join(f"---\n{text}" for text in ("".join(_remarks(server)) + texts[0], *texts[1:]))


def _remarks(server: TrackingServer) -> Iterator[str]:
    """The Jobs: whether each runs, and the end of its name, depends on what the database holds."""
    name, some = server.metadata.name, "<hash>"
    yield f"# TrackingServer {server.metadata.namespace}/{name}\n"
    yield "# Not printed, because they depend on what is found in the database, are the Jobs of an upgrade:\n"
    yield f"#   {names.check_job(name, some)}: before a new image serves\n"
    if not isinstance(server.spec.artifacts.store, VolumeStore):
        yield f"#   {names.store_check_job(name, some)}: before a new image, or other credentials, serve\n"
    for index, hook in enumerate(server.spec.upgrade.hooks.pre_migration):
        yield f"#   {names.hook_job(name, index, some)}: hook {hook.name}\n"
    if server.spec.upgrade.backup.required != "Never":
        yield f"#   {names.backup_job(name, some)}: {_occasion(server)}\n"
        yield f"#   {names.verify_job(name, some)}: after the backup\n"
    yield f"#   {names.migration_job(name, some)}: when the schema is not the one that the image needs\n"
    if server.spec.upgrade.on_failure == "RestoreBackup":
        yield f"#   {names.restore_job(name, some)}: after a migration that failed\n"


def _occasion(server: TrackingServer) -> str:
    always = server.spec.upgrade.backup.required == "Always"
    return "before every new image" if always else "before a migration"
