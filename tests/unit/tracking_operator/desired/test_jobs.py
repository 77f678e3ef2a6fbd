"""Every Job: what it is called, what it runs, with which volumes, and what Kubernetes does when it fails."""

from collections.abc import Callable

import pytest

from tests.support.servers import UID, a_server, an_external_server
from tracking_operator.desired.backup_job import backup_job
from tracking_operator.desired.check_job import check_job
from tracking_operator.desired.hook_job import hook_job
from tracking_operator.desired.job import TERMINAL_EXIT_CODES
from tracking_operator.desired.migration_job import migration_job
from tracking_operator.desired.places import CLUSTER
from tracking_operator.desired.restore_job import restore_job
from tracking_operator.desired.verify_job import verify_job
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer

HASH = "0123456789"
ARCHIVE = "/var/lib/trackplane/backups/one"
HOOKS = {
    "hooks": {
        "preMigration": [
            {"name": "first", "image": "busybox:1", "command": ["true"]},
            {"name": "second", "image": "busybox:2", "command": ["true"]},
        ]
    }
}

Render = Callable[[TrackingServer, str | None], Manifest]


def _check(server: TrackingServer, node: str | None) -> Manifest:
    return check_job(server, image="server:2", job_hash=HASH, places=CLUSTER, node=node)


def _hook(server: TrackingServer, node: str | None) -> Manifest:
    return hook_job(server, index=1, job_hash=HASH, places=CLUSTER, node=node)


def _backup(server: TrackingServer, node: str | None) -> Manifest:
    return backup_job(server, image="server:2", job_hash=HASH, places=CLUSTER, node=node)


def _verify(server: TrackingServer, node: str | None) -> Manifest:
    return verify_job(server, image="server:2", archive=ARCHIVE, job_hash=HASH, places=CLUSTER, node=node)


def _migration(server: TrackingServer, node: str | None) -> Manifest:
    return migration_job(server, image="server:2", job_hash=HASH, places=CLUSTER, node=node)


def _restore(server: TrackingServer, node: str | None) -> Manifest:
    return restore_job(server, image="server:2", archive=ARCHIVE, job_hash=HASH, places=CLUSTER, node=node)


ALL = [
    pytest.param(_check, id="check"),
    pytest.param(_hook, id="hook"),
    pytest.param(_backup, id="backup"),
    pytest.param(_verify, id="verify"),
    pytest.param(_migration, id="migration"),
    pytest.param(_restore, id="restore"),
]


@pytest.mark.parametrize(
    ("render", "name", "component", "image", "command", "volumes"),
    [
        pytest.param(_check, "demo-check", "check", "server:2", "db check", ["database"], id="check"),
        pytest.param(_hook, "demo-hook-1", "hook", "busybox:2", None, ["database", "backups"], id="hook"),
        pytest.param(
            _backup,
            "demo-backup",
            "backup",
            "server:2",
            "backup --to /var/lib/trackplane/backups",
            ["database", "backups"],
            id="backup",
        ),
        pytest.param(
            _verify,
            "demo-verify",
            "verify",
            "server:2",
            f"backup verify {ARCHIVE}",
            ["backups"],
            id="verify",
        ),
        pytest.param(_migration, "demo-migrate", "migrate", "server:2", "db upgrade", ["database"], id="migration"),
        pytest.param(
            _restore,
            "demo-restore",
            "restore",
            "server:2",
            f"restore {ARCHIVE} --replace",
            ["database", "backups"],
            id="restore",
        ),
    ],
)
def test_a_job_is_named_by_its_hash_and_runs_its_command(
    render: Render, name: str, component: str, image: str, command: str | None, volumes: list[str]
) -> None:
    manifest = render(a_server(upgrade=HOOKS), None)
    assert manifest["metadata"]["name"] == f"{name}-{HASH}"
    assert manifest["metadata"]["labels"]["app.kubernetes.io/component"] == component
    template = manifest["spec"]["template"]
    assert template["metadata"]["labels"] == manifest["metadata"]["labels"]
    container = _container(manifest)
    assert container["image"] == image
    assert container["command"] == (["true"] if command is None else ["trackplane", *command.split()])
    assert [volume["name"] for volume in template["spec"]["volumes"]] == [*volumes, "tmp"]


@pytest.mark.parametrize("render", ALL)
def test_a_job_is_owned_and_runs_until_it_says_how_it_ended(render: Render) -> None:
    manifest = render(a_server(upgrade=HOOKS), None)
    assert [owner["uid"] for owner in manifest["metadata"]["ownerReferences"]] == [UID]
    spec = manifest["spec"]
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert "activeDeadlineSeconds" not in spec
    assert "ttlSecondsAfterFinished" not in spec


EVICTED = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


@pytest.mark.parametrize("render", [one for one in ALL if one.id != "hook"])
def test_an_eviction_is_forgiven_and_a_terminal_exit_code_is_not(render: Render) -> None:
    terminal, evicted = render(a_server(upgrade=HOOKS), None)["spec"]["podFailurePolicy"]["rules"]
    assert terminal["action"] == "FailJob"
    assert terminal["onExitCodes"].items() >= {"containerName": "job", "operator": "In"}.items()
    assert set(TERMINAL_EXIT_CODES) <= set(terminal["onExitCodes"]["values"])
    assert evicted == EVICTED


@pytest.mark.parametrize("exit_code", [126, 127, 128])
def test_an_image_without_our_program_is_known_by_the_first_check(exit_code: int) -> None:
    def terminal(manifest: Manifest) -> list[int]:
        codes: list[int] = manifest["spec"]["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"]
        return codes

    assert exit_code in terminal(_check(a_server(), None))
    assert exit_code not in terminal(_migration(a_server(), None))


def test_the_exit_codes_of_a_hook_are_its_own() -> None:
    assert _hook(a_server(upgrade=HOOKS), None)["spec"]["podFailurePolicy"]["rules"] == [EVICTED]


def test_a_lost_connection_and_a_busy_lock_are_tried_again() -> None:
    assert not {11, 12, 17, 137, 143} & set(TERMINAL_EXIT_CODES)


@pytest.mark.parametrize("render", ALL)
def test_a_job_follows_a_volume_in_use_to_its_node(render: Render) -> None:
    affinity = render(a_server(upgrade=HOOKS), "node-1")["spec"]["template"]["spec"]["affinity"]
    (term,) = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchFields"][0]["values"] == ["node-1"]


@pytest.mark.parametrize("render", ALL)
def test_a_job_is_never_selected_by_the_service(render: Render) -> None:
    labels = render(an_external_server(upgrade=HOOKS), None)["spec"]["template"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] != "server"


def _container(manifest: Manifest) -> Manifest:
    containers: list[Manifest] = manifest["spec"]["template"]["spec"]["containers"]
    (container,) = containers
    return container
