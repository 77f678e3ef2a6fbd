from typing import Any

import yaml

from tests.support.servers import a_resource
from tracking_operator.desired.bundle import children
from tracking_operator.desired.places import CLUSTER
from tracking_operator.outside.documents import read_documents
from tracking_operator.outside.render import render
from tracking_operator.resource.parse import parse


def _render(*resources: dict[str, Any]) -> str:
    text = "---\n".join(yaml.safe_dump(resource) for resource in resources)
    return render(read_documents(text), server_image="server:default")


def test_what_is_printed_is_what_the_operator_keeps() -> None:
    resource = a_resource(uid="", gc={"schedule": "@daily"})
    expected = children(parse(resource), image="server:default", references="", places=CLUSTER)
    assert list(yaml.safe_load_all(_render(resource))) == list(expected)


def test_equal_input_gives_equal_text_without_anchors() -> None:
    resource = a_resource(upgrade={"hooks": {"preMigration": [{"name": "one", "image": "busybox"}]}})
    text = _render(resource)
    assert text == _render(resource)
    assert "&id" not in text


def test_the_image_of_the_resource_wins_over_the_default() -> None:
    assert "image: server:own\n" in _render(a_resource(image="server:own"))
    assert "image: server:default\n" in _render(a_resource())


def test_the_jobs_are_named_and_not_printed() -> None:
    hooks = {"preMigration": [{"name": "announce", "image": "busybox"}]}
    text = _render(a_resource(upgrade={"hooks": hooks, "onFailure": "RestoreBackup"}))
    remarks = [line for line in text.splitlines() if line.startswith("#")]
    assert remarks == [
        "# TrackingServer ml/demo",
        "# Not printed, because they depend on what is found in the database, are the Jobs of an upgrade:",
        "#   demo-check-<hash>: before a new image serves",
        "#   demo-hook-0-<hash>: hook announce",
        "#   demo-backup-<hash>: before a migration",
        "#   demo-verify-<hash>: after the backup",
        "#   demo-migrate-<hash>: when the schema is not the one that the image needs",
        "#   demo-restore-<hash>: after a migration that failed",
    ]
    assert "kind: Job\n" not in text


def test_every_server_of_the_file_is_rendered() -> None:
    manifests = list(yaml.safe_load_all(_render(a_resource(name="one"), a_resource(name="two"))))
    names = [manifest["metadata"]["name"] for manifest in manifests if manifest["kind"] == "Deployment"]
    assert names == ["one", "two"]
