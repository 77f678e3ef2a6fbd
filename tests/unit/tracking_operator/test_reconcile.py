"""Whole flows on the cluster in memory: what a user does, and what comes of it. The world checks what must never be."""

from typing import Any, Final

import pytest

from tests.support.clusters import BROKEN, BUCKET_SECRET, CRON, DATABASE_SECRET, SERVER, SERVES, Database, Ending, World
from tests.support.servers import EXTERNAL, NAMESPACE, S3, SHARED_VOLUME, a_store
from tracking_operator.cluster.memory import MemoryCluster
from tracking_operator.decisions.events import EventReason
from tracking_operator.errors import ClusterRefused
from tracking_operator.resource import names
from tracking_operator.resource.kinds import DEPLOYMENT, JOB, SERVICE, VOLUME_CLAIM, Manifest, Ref, ref_of

HOOK: Final[dict[str, Any]] = {"name": "notify", "image": "hook:1"}
UPGRADE: Final[dict[str, Any]] = {"hooks": {"preMigration": [HOOK]}}
RESTORE: Final[dict[str, Any]] = {**UPGRADE, "onFailure": "RestoreBackup"}
GC: Final[dict[str, Any]] = {"schedule": "@daily"}
EXTERNAL_SPEC: Final[dict[str, Any]] = {"database": EXTERNAL, "artifacts": SHARED_VOLUME}


def a_world(**spec: Any) -> World:
    world = World()
    fields: dict[str, Any] = {"image": "server:1", "upgrade": UPGRADE, "gc": GC, **spec}
    world.submit(**fields)
    return world


def a_serving_world(**spec: Any) -> World:
    world = a_world(**spec)
    world.run(30)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    return world


def an_external_world(**spec: Any) -> World:
    world = World()
    world.put_secret()
    fields: dict[str, Any] = {"image": "server:1", "upgrade": UPGRADE, "gc": GC, **EXTERNAL_SPEC, **spec}
    world.submit(**fields)
    return world


def rest(world: World, passes: int = 2) -> None:
    """Passes over an unchanged object write nothing and tell nothing."""
    world.reconcile()
    before = len(world.cluster.requests)
    reports = len(world.reports)
    for _ in range(passes):
        world.reconcile()
    assert world.cluster.requests[before:] == []
    assert world.reports[reports:] == []


def test_the_first_install_makes_the_schema_and_then_serves() -> None:
    world = a_world()
    world.run(30)
    assert world.database.revision == 1
    assert world.ready_pods == 1
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.condition("Available") == ("True", "MinimumReplicasAvailable")
    assert world.condition("DatabaseReachable") == ("True", "Connected")
    assert world.condition("SchemaCurrent") == ("True", "UpToDate")
    assert world.condition("UpgradeInProgress") == ("False", "Idle")
    assert world.condition("Reconciling") is None
    assert world.condition("Stalled") is None
    assert world.archives == {}
    assert world.status["endpoint"] == "http://demo.ml.svc:5000"
    assert world.status["image"] == "server:1"
    rest(world, passes=100)


def test_all_conditions_are_there_after_the_first_pass() -> None:
    world = a_world()
    world.reconcile()
    found = {one["type"]: one for one in world.status["conditions"]}
    assert set(found) == {
        "Ready",
        "Reconciling",
        "Available",
        "ReferencesResolved",
        "DatabaseReachable",
        "ArtifactStoreReachable",
        "SchemaCurrent",
        "UpgradeInProgress",
    }
    assert found["DatabaseReachable"]["status"] == "Unknown"
    assert all(one["observedGeneration"] == 1 and one["message"] and one["reason"] for one in found.values())


def test_no_deployment_is_there_before_the_schema() -> None:
    world = a_world()
    world.endings["migrate"] = "slow"
    world.run(30)
    assert world.cluster.find(SERVES) is None
    assert world.condition("UpgradeInProgress") == ("True", "Migrating")


def test_an_image_with_the_same_schema_rolls_out_without_stopping_anything() -> None:
    world = a_serving_world()
    world.edit(image="server:1.1")
    before = len(world.cluster.requests)
    world.run(30)
    verbs = [(request.verb, request.subresource) for request in world.cluster.requests[before:]]
    assert ("update", "scale") not in verbs
    assert world.jobs("migrate") == ()
    assert world.jobs("backup") == ()
    assert world.serving_image == "server:1.1"
    assert "NothingToMigrate" in world.events()
    rest(world)


def test_an_upgrade_takes_every_step_in_order() -> None:
    world = a_serving_world()
    rows = world.database.rows
    world.edit(image="server:2")
    world.run(60)
    assert world.steps() == {
        "Check": "Succeeded",
        "CheckStore": "Skipped",
        "Quiesce": "Succeeded",
        "Hooks": "Succeeded",
        "Backup": "Succeeded",
        "Verify": "Succeeded",
        "Migrate": "Succeeded",
        "RollOut": "Succeeded",
    }
    assert world.events()[-11:] == [
        "PreflightPassed",
        "UpgradePlanned",
        "Quiesced",
        "HooksCompleted",
        "BackupStarted",
        "BackupCompleted",
        "BackupVerified",
        "MigrationStarted",
        "MigrationSucceeded",
        "RolloutStarted",
        "RolloutCompleted",
    ]
    assert world.database.revision == 2
    assert world.migrations == 2
    assert world.serving_image == "server:2"
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.status["upgrade"]["from"] == "server:1"
    assert world.status["lastBackup"]["rows"] >= rows
    assert world.status["lastBackup"]["verified"] is True
    rest(world)


def test_the_jobs_of_the_last_plan_stay_until_another_replaces_them() -> None:
    world = a_serving_world()
    first = {job["metadata"]["name"] for job in world.jobs("check")}
    assert len(first) == 1
    world.edit(image="server:2")
    world.run(60)
    assert {job["metadata"]["name"] for job in world.jobs("check")}.isdisjoint(first)
    assert len(world.jobs("migrate")) == 1


def test_the_record_of_an_upgrade_outlives_its_jobs() -> None:
    world = a_serving_world()
    world.edit(image="server:2")
    world.run(60)
    record, backup, schema = (world.status[name] for name in ("upgrade", "lastBackup", "schema"))
    for job in world.cluster.objects(JOB):
        world.drop(ref_of(job))
    world.run(5)
    assert world.status["upgrade"] == record
    assert world.status["lastBackup"] == backup
    assert world.status["schema"] == schema
    rest(world)


@pytest.mark.parametrize(
    ("component", "ending", "reason"),
    [
        pytest.param("check", "fail", "ConfigInvalid", id="the check finds a configuration that is wrong"),
        pytest.param("check", "unreachable", "DatabaseUnreachable", id="the check does not reach the database"),
        pytest.param("check", "killed", "CheckFailed", id="the check is killed"),
        pytest.param("check", "mute", "ImageUnusable", id="the check gives no report"),
    ],
)
def test_a_failed_check_leaves_what_serves_exactly_as_it_is(component: str, ending: Ending, reason: str) -> None:
    world = a_serving_world()
    before = world.deployment
    world.endings[component] = ending
    world.edit(image="server:2")
    for _ in range(100):
        world.run(1)
        assert world.ready_pods == 1
    assert world.deployment["metadata"]["generation"] == before["metadata"]["generation"]
    assert world.condition("Ready") == ("False", reason)
    assert world.condition("Available") == ("True", "MinimumReplicasAvailable")
    world.endings.clear()
    world.run(400) if reason != "ConfigInvalid" else _retry(world)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.serving_image == "server:2"
    rest(world)


def _retry(world: World, value: str = "1") -> None:
    world.edit(annotations={names.RETRY_ANNOTATION: value})
    world.run(60)


def test_an_image_that_cannot_be_pulled_never_touches_what_serves() -> None:
    world = a_serving_world()
    before = world.deployment
    world.unpullable.add("server:2")
    world.edit(image="server:2")
    world.run(300)
    assert world.deployment["metadata"]["generation"] == before["metadata"]["generation"]
    assert world.ready_pods == 1
    assert world.condition("Ready") == ("False", "ImageUnusable")
    assert world.condition("Stalled") == ("True", "ImageUnusable")
    assert "server:2" in world.message("Stalled")
    assert "spec.image" in world.message("Stalled")
    rest(world)
    world.unpullable.clear()
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")


@pytest.mark.parametrize(
    ("component", "reason", "step"),
    [
        pytest.param("hook", "HookFailed", "Hooks", id="hook"),
        pytest.param("backup", "BackupFailed", "Backup", id="backup"),
        pytest.param("verify", "BackupVerifyFailed", "Verify", id="verify"),
    ],
)
def test_a_failure_before_the_migration_puts_back_what_served(component: str, reason: str, step: str) -> None:
    world = a_serving_world()
    template = world.deployment["spec"]["template"]
    world.endings[component] = "fail"
    world.edit(image="server:2")
    world.run(60)
    expected = "ConfigInvalid" if component == "hook" else reason
    assert world.condition("Ready") == ("False", expected)
    assert world.condition("Stalled") == ("True", expected)
    assert world.steps()[step] == "Failed"
    assert world.ready_pods == 1
    assert world.deployment["spec"]["template"] == template
    assert world.database.revision == 1
    assert world.jobs("migrate") == ()
    assert names.RETRY_ANNOTATION in world.message("Stalled")
    rest(world)
    world.endings.clear()
    _retry(world)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.serving_image == "server:2"
    rest(world)


def test_a_hook_that_cannot_start_is_stopped_and_what_served_serves_again() -> None:
    world = a_serving_world()
    world.unpullable.add("hook:1")
    world.edit(image="server:2")
    world.run(200)
    assert world.condition("Stalled") == ("True", "HookFailed")
    assert "hook:1" in world.message("Stalled")
    assert world.ready_pods == 1
    rest(world)
    world.edit(upgrade={"hooks": {"preMigration": [{**HOOK, "image": "hook:2"}]}})
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.serving_image == "server:2"


@pytest.mark.parametrize("component", ["backup", "migrate"])
@pytest.mark.parametrize("ending", ["unreachable", "busy"])
def test_what_heals_by_itself_is_tried_again_and_nothing_is_down_meanwhile(component: str, ending: Ending) -> None:
    world = a_serving_world()
    world.endings[component] = ending
    world.edit(image="server:2")
    world.run(25)
    assert world.condition("Stalled") is None
    assert world.condition("Reconciling") is not None
    assert world.database.revision == 1
    world.endings.clear()
    world.run(200)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.migrations == 2
    rest(world)


def test_a_migration_that_fails_is_held_until_a_person_asks_again() -> None:
    world = a_serving_world()
    world.endings["migrate"] = "halfway"
    world.edit(image="server:2")
    world.run(60)
    assert world.condition("Stalled") == ("True", "MigrationFailed")
    assert world.condition("Available") == ("False", "NoReplicas")
    assert world.database.revision == BROKEN
    assert "/var/lib/trackplane/backups/1.zst" in world.message("Stalled")
    assert names.RETRY_ANNOTATION in world.message("Stalled")
    rest(world)
    world.endings.clear()
    world.run(200)
    assert world.database.revision == BROKEN
    _retry(world)
    assert world.database.revision == 2
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    rest(world)


def test_a_migration_that_fails_is_taken_back_when_the_policy_says_so() -> None:
    world = a_serving_world(upgrade=RESTORE)
    world.endings["migrate"] = "halfway"
    world.edit(image="server:2")
    world.run(60)
    assert world.condition("Ready") == ("False", "MigrationFailed")
    assert world.condition("Stalled") == ("True", "MigrationFailed")
    assert world.database.revision == 1
    assert world.ready_pods == 1
    assert world.serving_image == "server:1"
    assert world.steps()["Restore"] == "Succeeded"
    assert "RolledBack" in world.events()
    rest(world)
    world.endings.clear()
    _retry(world)
    assert world.serving_image == "server:2"
    assert world.migrations == 2
    rest(world)


def test_the_policy_can_be_changed_after_the_failure() -> None:
    world = a_serving_world()
    world.endings["migrate"] = "halfway"
    world.edit(image="server:2")
    world.run(60)
    world.edit(upgrade=RESTORE)
    world.run(60)
    assert world.database.revision == 1
    assert world.ready_pods == 1


def test_a_restore_that_fails_says_what_to_do_by_hand() -> None:
    world = a_serving_world(upgrade=RESTORE)
    world.endings.update(migrate="halfway", restore="fail")
    world.edit(image="server:2")
    world.run(60)
    assert world.condition("Stalled") == ("True", "RestoreFailed")
    assert "/var/lib/trackplane/backups/1.zst" in world.message("Stalled")
    assert world.ready_pods == 0
    rest(world)
    world.endings.clear()
    world.database = Database(revision=1, rows=world.database.rows)
    _retry(world)
    assert world.condition("Ready") == ("True", "AllReplicasReady")


def test_a_failed_migration_to_nothing_is_not_restored() -> None:
    world = a_world(upgrade=RESTORE)
    world.endings["migrate"] = "halfway"
    world.run(60)
    assert world.condition("Stalled") == ("True", "MigrationFailed")
    assert world.jobs("restore") == ()


def test_an_old_image_is_refused_and_the_new_one_goes_on_serving() -> None:
    world = a_serving_world(image="server:2")
    world.edit(image="server:1")
    world.run(60)
    assert world.condition("Stalled") == ("True", "SchemaNewerThanImage")
    assert world.condition("SchemaCurrent") == ("False", "SchemaNewerThanImage")
    assert world.ready_pods == 1
    assert world.serving_image == "server:2"
    rest(world)
    world.edit(image="server:2")
    world.run(10)
    assert world.condition("Ready") == ("True", "AllReplicasReady")


def test_a_database_of_something_else_is_refused() -> None:
    world = a_world()
    world.database.is_foreign = True
    world.run(60)
    assert world.condition("Stalled") == ("True", "SchemaForeign")
    assert world.cluster.find(SERVES) is None
    rest(world)


def test_a_missing_secret_is_named_and_heals() -> None:
    world = World()
    world.submit(image="server:1", **EXTERNAL_SPEC)
    world.run(30)
    assert world.condition("Ready") == ("False", "ReferenceMissing")
    assert world.condition("ReferencesResolved") == ("False", "NotFound")
    assert "spec.database.uriSecretRef" in world.message("ReferencesResolved")
    assert world.cluster.objects(JOB) == ()
    rest(world)
    world.put_secret()
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.condition("ReferencesResolved") == ("True", "Resolved")


def test_a_missing_key_is_named_and_heals() -> None:
    world = an_external_world()
    world.has_key = False
    world.run(30)
    assert world.condition("Ready") == ("False", "KeyMissing")
    assert world.condition("ReferencesResolved") == ("False", "KeyMissing")
    assert "spec.database.uriSecretRef" in world.message("ReferencesResolved")
    rest(world)
    world.has_key = True
    world.put_secret(uri="postgresql://db/other")
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")


def test_a_rotated_secret_is_checked_before_the_pods_are_rolled() -> None:
    world = an_external_world(replicas=2)
    world.run(60)
    world.has_key = False
    world.put_secret(uri="postgresql://db/without-a-key")
    for _ in range(60):
        world.run(1)
        assert world.ready_pods == 2
    world.has_key = True
    world.put_secret(uri="postgresql://db/mended")
    for _ in range(60):
        world.run(1)
        assert world.ready_pods >= 2
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    rest(world)


def test_a_secret_that_vanishes_leaves_what_serves() -> None:
    world = an_external_world()
    world.run(60)
    world.drop(DATABASE_SECRET)
    world.run(30)
    assert world.condition("ReferencesResolved") == ("False", "NotFound")
    assert world.ready_pods == 1


def a_world_on_a_bucket(**spec: Any) -> World:
    world = World()
    world.put_secret()
    world.put_bucket_keys()
    fields: dict[str, Any] = {"database": EXTERNAL, "artifacts": a_store("s3", S3), "replicas": 2, **spec}
    world.submit(image="server:1", **fields)
    return world


def test_a_bucket_is_tried_before_the_first_pod_starts() -> None:
    world = a_world_on_a_bucket()
    world.endings["store-check"] = "slow"
    world.run(30)
    assert world.cluster.find(SERVES) is None
    assert world.condition("Ready") == ("False", "CheckingStore")
    world.endings.clear()
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.condition("ArtifactStoreReachable") == ("True", "Connected")
    assert world.steps()["CheckStore"] == "Succeeded"
    assert world.events()[:2] == ["PreflightPassed", "ArtifactStoreChecked"]
    assert world.status["binding"] == {"name": "demo-binding"}
    rest(world)


@pytest.mark.parametrize(
    "fault",
    [
        "AccessDenied",
        "NoSuchBucket",
        "WrongRegion",
        "StoreMisconfigured",
        "TLSFailed",
        "SkewedClock",
        "ArtifactStoreUnreachable",
        "ConfigInvalid",
    ],
)
def test_a_bucket_that_cannot_be_used_is_told_and_heals(fault: str) -> None:
    world = a_world_on_a_bucket()
    world.store_fault = fault
    world.run(60)
    assert world.condition("ArtifactStoreReachable") == ("False", fault)
    assert world.condition("Ready") == ("False", fault)
    is_stalled = fault != "ArtifactStoreUnreachable"
    assert world.condition("Stalled" if is_stalled else "Reconciling") == ("True", fault)
    assert "the bucket does not let us" in world.message("ArtifactStoreReachable")
    assert world.events().count("ArtifactStoreUnreachable") == 1
    assert world.migrations == 0
    world.store_fault = ""
    world.run(300)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    rest(world)


def test_rotated_keys_of_a_bucket_roll_the_pods_once_and_only_when_they_work() -> None:
    world = a_world_on_a_bucket()
    world.run(60)
    generation = world.deployment["metadata"]["generation"]
    world.store_fault = "AccessDenied"
    world.put_bucket_keys(secret="wrong")
    for _ in range(60):
        world.run(1)
        assert world.ready_pods == 2
    assert world.deployment["metadata"]["generation"] == generation
    assert world.condition("Available") == ("True", "MinimumReplicasAvailable")
    world.store_fault = ""
    world.put_bucket_keys(secret="two")
    for _ in range(60):
        world.run(1)
        assert world.ready_pods >= 2
    assert world.deployment["metadata"]["generation"] == generation + 1
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.migrations == 1
    rest(world)


def test_keys_that_are_missing_are_named() -> None:
    world = a_world_on_a_bucket()
    world.drop(BUCKET_SECRET)
    world.run(30)
    assert world.condition("ReferencesResolved") == ("False", "NotFound")
    assert "spec.artifacts.store.s3.credentials.secretRef names Secret bucket" in world.message("ReferencesResolved")
    world.put_bucket_keys()
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")


def test_an_unreachable_database_is_tried_again_until_it_answers() -> None:
    world = an_external_world()
    world.database.is_reachable = False
    world.run(100)
    assert world.condition("Ready") == ("False", "DatabaseUnreachable")
    assert world.condition("DatabaseReachable") == ("False", "DatabaseUnreachable")
    assert "Look at the database, and at what spec.database.uriSecretRef names" in world.message("DatabaseReachable")
    assert world.condition("Stalled") is None
    world.database.is_reachable = True
    world.run(200)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    rest(world)


def test_a_database_that_goes_away_at_rest_is_found_out() -> None:
    world = an_external_world()
    world.run(60)
    world.database.is_reachable = False
    world.run(300)
    assert world.condition("DatabaseReachable") == ("False", "DatabaseUnreachable")
    assert world.condition("Ready") == ("False", "DatabaseUnreachable")
    assert world.deployment["spec"]["replicas"] == 1
    world.database.is_reachable = True
    world.run(30)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.condition("DatabaseReachable") == ("True", "Connected")


def test_an_old_database_that_somebody_puts_back_is_migrated_again() -> None:
    world = an_external_world(image="server:2")
    world.run(60)
    world.database.revision = 1
    for pod in world.pods("server"):
        world.drop(ref_of(pod))
    world.run(400)
    assert world.database.revision == 2
    assert world.condition("Ready") == ("True", "AllReplicasReady")


def test_a_suspended_server_is_ready_and_runs_nothing() -> None:
    world = a_serving_world()
    world.edit(suspend=True)
    world.run(30)
    assert world.pods("server") == ()
    assert world.condition("Ready") == ("True", "Suspended")
    assert world.condition("Available") == ("False", "NoReplicas")
    assert world.condition("Reconciling") is None
    cron_job = world.cluster.find(CRON)
    assert cron_job is not None
    assert cron_job["spec"]["suspend"] is True
    rest(world)
    world.edit(suspend=False)
    world.run(30)
    assert world.ready_pods == 1
    assert {"Suspended", "Resumed"} <= set(world.events())
    rest(world)


def test_a_suspended_server_looks_at_the_database_before_it_starts_again() -> None:
    world = a_serving_world()
    world.edit(suspend=True)
    world.run(30)
    world.database.revision = 3
    world.edit(suspend=False)
    world.run(30)
    assert world.condition("Stalled") == ("True", "SchemaNewerThanImage")
    assert world.pods("server") == ()


def test_a_suspension_does_not_interrupt_a_migration() -> None:
    world = a_serving_world()
    world.edit(image="server:2")
    world.endings["migrate"] = "slow"
    world.run(30)
    assert len(world.pods("migrate")) == 1
    world.edit(suspend=True)
    world.run(30)
    assert len(world.pods("migrate")) == 1
    world.endings.clear()
    world.run(30)
    assert world.condition("Ready") == ("True", "Suspended")
    world.edit(suspend=False)
    world.run(30)
    assert world.serving_image == "server:2"
    assert world.migrations == 2


def test_an_image_that_is_changed_back_before_the_migration_serves_again() -> None:
    world = a_serving_world()
    world.endings["hook"] = "slow"
    world.edit(image="server:2")
    world.run(20)
    assert world.pods("server") == ()
    world.edit(image="server:1")
    world.run(10)
    assert "delete it to go on" in world.message("Ready")
    world.endings.clear()
    world.run(30)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.serving_image == "server:1"
    assert world.database.revision == 1
    world.edit(image="server:2")
    world.run(60)
    assert world.serving_image == "server:2"
    rest(world)


def test_an_image_that_is_changed_back_during_the_migration_waits_and_is_refused() -> None:
    world = a_serving_world()
    world.endings["migrate"] = "slow"
    world.edit(image="server:2")
    world.run(30)
    world.edit(image="server:1")
    world.run(30)
    assert world.condition("UpgradeInProgress") == ("True", "Migrating")
    world.endings.clear()
    world.run(30)
    assert world.condition("Stalled") == ("True", "SchemaNewerThanImage")
    assert world.ready_pods == 0
    world.edit(image="server:2")
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.migrations == 2


def test_a_hook_that_is_added_during_the_upgrade_makes_a_new_plan() -> None:
    world = a_serving_world()
    world.endings["backup"] = "slow"
    world.edit(image="server:2")
    world.run(20)
    world.edit(upgrade={"hooks": {"preMigration": [HOOK, {"name": "more", "image": "hook:1"}]}})
    world.endings.clear()
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert len(world.jobs("hook")) == 2
    assert world.migrations == 2
    rest(world)


def test_garbage_collection_ends_before_an_upgrade_and_does_not_run_in_it() -> None:
    world = a_serving_world()
    world.endings["gc"] = "slow"
    world.collect_garbage()
    world.tick()
    world.edit(image="server:2")
    world.run(20)
    assert world.condition("UpgradeInProgress") == ("True", "Quiescing")
    assert world.ready_pods == 1
    world.collect_garbage()
    assert len(world.jobs("gc")) == 1
    world.endings.clear()
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    cron_job = world.cluster.find(CRON)
    assert cron_job is not None
    assert cron_job["spec"]["suspend"] is False


def test_garbage_is_collected_by_what_serves_while_an_upgrade_is_stuck() -> None:
    world = a_serving_world()
    world.endings["hook"] = "fail"
    world.edit(image="server:2")
    world.run(60)
    cron_job = world.cluster.find(CRON)
    assert cron_job is not None
    assert cron_job["spec"]["suspend"] is False
    container = cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "server:1"


def test_a_collection_that_is_taken_out_of_the_spec_goes() -> None:
    world = a_serving_world()
    world.edit(gc=None)
    world.run(5)
    assert world.cluster.find(CRON) is None
    assert {"kind": "CronJob", "name": CRON.name} not in world.status["children"]
    rest(world)


@pytest.mark.parametrize(
    ("kind", "change", "path"),
    [
        pytest.param(DEPLOYMENT, ("replicas", 0), "spec.replicas", id="Deployment"),
        pytest.param(SERVICE, ("selector", {"app": "other"}), "spec.selector", id="Service"),
    ],
)
def test_what_somebody_changes_in_a_child_is_set_back_and_told(kind: Any, change: tuple[str, Any], path: str) -> None:
    world = a_serving_world()
    ref = Ref(kind=kind, namespace=NAMESPACE, name=SERVER.name)
    child = world.cluster.find(ref)
    assert child is not None
    wanted = child["spec"]
    child["spec"] = {**wanted, change[0]: change[1]}
    world.cluster.put(child)
    world.run(10)
    mended = world.cluster.find(ref)
    assert mended is not None
    assert mended["spec"] == wanted
    told = [report.note for report in world.reports if report.reason is EventReason.DRIFT_CORRECTED]
    assert len(told) == 1
    assert path in told[0]
    rest(world)


def test_what_others_add_to_a_child_is_left_alone() -> None:
    world = a_serving_world()
    child = world.deployment
    child["metadata"]["annotations"]["example.com/theirs"] = "yes"
    world.cluster.put(child)
    rest(world)
    assert world.deployment["metadata"]["annotations"]["example.com/theirs"] == "yes"


def test_a_child_that_somebody_deletes_comes_back() -> None:
    world = a_serving_world()
    for ref in (SERVES, Ref(kind=SERVICE, namespace=NAMESPACE, name=SERVER.name), CRON):
        world.drop(ref)
    world.run(10)
    assert world.ready_pods == 1
    assert world.cluster.find(CRON) is not None
    rest(world)


def test_a_field_of_the_spec_reaches_the_children_at_once() -> None:
    world = a_serving_world()
    world.edit(server={"workers": 7})
    world.reconcile()
    env = world.deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "MLFLOW_WORKERS", "value": "7"} in env
    assert world.condition("Ready") == ("False", "RollingOut")
    assert world.condition("UpgradeInProgress") == ("False", "Idle")


def test_a_spec_with_faults_changes_nothing_but_the_conditions() -> None:
    world = a_serving_world()
    children = world.status["children"]
    world.edit(replicas=5)
    world.run(10)
    assert world.condition("Ready") == ("False", "InvalidSpec")
    assert world.condition("Stalled") == ("True", "InvalidSpec")
    assert "spec.replicas" in world.message("Stalled")
    assert world.status["observedGeneration"] == 2
    assert world.status["children"] == children
    assert world.ready_pods == 1
    rest(world)
    world.edit(replicas=1)
    world.run(10)
    assert world.condition("Ready") == ("True", "AllReplicasReady")


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_deletion_keeps_or_removes_the_data(policy: str) -> None:
    world = a_serving_world(deletion={"policy": policy})
    world.drop(SERVER)
    for _ in range(5):
        world.tick()
        world.reconcile()
    assert world.cluster.find(SERVES) is None
    assert world.cluster.objects(JOB) == ()
    kept = [claim["metadata"]["name"] for claim in world.cluster.objects(VOLUME_CLAIM)]
    assert kept == ([] if policy == "Delete" else ["demo-artifacts", "demo-backups", "demo-database"])


def test_a_server_that_is_made_anew_finds_its_data() -> None:
    world = a_serving_world()
    rows = world.database.rows
    world.drop(SERVER)
    world.tick()
    world.submit(image="server:1")
    world.run(30)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.database.rows > rows
    assert world.migrations == 1


def test_a_backup_can_be_wanted_before_every_new_image() -> None:
    world = a_serving_world(upgrade={"backup": {"required": "Always"}})
    world.edit(image="server:1.1")
    before = len(world.cluster.requests)
    world.run(60)
    assert len(world.archives) == 1
    assert len(world.verified) == 1
    assert all(request.subresource != "scale" for request in world.cluster.requests[before:])
    assert world.serving_image == "server:1.1"
    rest(world)


def test_no_backup_is_taken_when_none_is_wanted() -> None:
    world = a_serving_world(upgrade={"backup": {"required": "Never"}})
    world.needs_backup = False
    world.edit(image="server:2")
    world.run(60)
    assert world.archives == {}
    assert world.condition("Ready") == ("True", "AllReplicasReady")


def test_the_pods_of_a_killed_job_are_replaced_by_the_job() -> None:
    world = a_serving_world()
    world.edit(image="server:2")
    world.endings["migrate"] = "slow"
    world.run(30)
    world.crash_pod("migrate")
    world.endings.clear()
    world.run(30)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert len(world.jobs("migrate")) == 1


def test_a_migration_job_that_is_deleted_while_it_runs_is_made_again_when_its_pod_is_gone() -> None:
    world = a_serving_world()
    world.edit(image="server:2")
    world.endings["migrate"] = "slow"
    world.run(30)
    world.drop(ref_of(world.jobs("migrate")[0]))
    world.reconcile()
    assert world.jobs("migrate") == ()
    world.endings.clear()
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")


@pytest.mark.parametrize("dies_after", range(4))
def test_an_operator_that_is_killed_between_any_two_writes_upgrades_exactly_once(dies_after: int) -> None:
    world = a_serving_world()
    world.edit(image="server:2")
    for _ in range(200):
        world.reconcile(dies_after=dies_after)
        world.tick()
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.serving_image == "server:2"
    assert world.migrations == 2
    assert len(world.archives) == 1
    rest(world)


def test_conditions_keep_their_time_while_their_status_stays() -> None:
    world = a_serving_world()
    before = {one["type"]: one for one in world.status["conditions"]}
    world.edit(server={"workers": 3})
    world.run(30)
    after = {one["type"]: one for one in world.status["conditions"]}
    assert after["SchemaCurrent"]["lastTransitionTime"] == before["SchemaCurrent"]["lastTransitionTime"]
    assert after["Ready"]["lastTransitionTime"] > before["Ready"]["lastTransitionTime"]
    assert {one["observedGeneration"] for one in after.values()} == {2}


class Refusing(MemoryCluster):
    """An API server that refuses to take one kind of object."""

    refused: str = ""

    async def apply(self, manifest: Manifest) -> Manifest:
        if manifest["kind"] == self.refused:
            raise ClusterRefused("exceeded quota", status=403, reason="Forbidden")
        return await super().apply(manifest)


def test_what_the_api_server_refuses_is_told_and_tried_again() -> None:
    world = World()
    refusing = Refusing(lambda: world.now)
    refusing.refused = "PersistentVolumeClaim"
    world.cluster = refusing
    world.submit(image="server:1")
    outcome = world.reconcile()
    assert outcome is not None
    assert outcome.requeue_seconds == 300
    assert world.condition("Ready") == ("False", "ClusterRefused")
    assert world.condition("Stalled") == ("True", "ClusterRefused")
    assert "exceeded quota" in world.message("Stalled")
    assert world.events() == ["ClusterRefused"]
    status = world.status
    world.tick()
    world.reconcile()
    assert world.status == status
    refusing.refused = ""
    for _ in range(30):
        world.reconcile()
        world.tick()
    world.reconcile()
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.condition("Stalled") is None


def test_a_check_runs_where_the_volume_is_in_use() -> None:
    world = a_serving_world()
    assert names.NODE_ANNOTATION not in world.jobs("check")[0]["metadata"]["annotations"]
    world.edit(image="server:2")
    world.reconcile()
    (check,) = [job for job in world.jobs("check") if not job.get("status")]
    assert check["metadata"]["annotations"][names.NODE_ANNOTATION] == "node-1"
    assert "node-1" in str(check["spec"]["template"]["spec"]["affinity"])


def test_a_check_of_a_shared_database_runs_anywhere() -> None:
    world = an_external_world(upgrade={"backup": {"required": "Never"}})
    world.run(60)
    world.edit(image="server:1.1")
    world.reconcile()
    assert all(names.NODE_ANNOTATION not in job["metadata"]["annotations"] for job in world.jobs("check"))


def test_a_check_that_is_bound_to_a_node_that_is_gone_is_made_anew() -> None:
    world = a_serving_world()
    world.unpullable.add("server:2")
    world.edit(image="server:2")
    world.run(5)
    (first,) = [job for job in world.jobs("check") if not job.get("status")]
    for pod in world.pods("server"):
        world.cluster.put({**pod, "spec": {**pod["spec"], "nodeName": "node-2"}})
    world.run(5)
    (second,) = [job for job in world.jobs("check") if not job.get("status")]
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert second["metadata"]["annotations"][names.NODE_ANNOTATION] == "node-2"


def test_a_claim_grows_and_never_shrinks() -> None:
    world = a_serving_world()
    claim = Ref(kind=VOLUME_CLAIM, namespace=NAMESPACE, name="demo-database")
    found = world.cluster.find(claim)
    assert found is not None
    found["spec"]["resources"]["requests"]["storage"] = "500Gi"
    found["spec"]["volumeName"] = "pvc-1"
    world.cluster.put(found)
    world.run(5)
    kept = world.cluster.find(claim)
    assert kept is not None
    assert kept["spec"]["resources"]["requests"]["storage"] == "500Gi"
    assert kept["spec"]["volumeName"] == "pvc-1"
    rest(world)


def test_a_claim_of_somebody_else_is_adopted_as_it_is() -> None:
    world = World()
    world.database.revision = 1
    metadata = {"name": "demo-database", "namespace": NAMESPACE}
    spec = {"accessModes": ["ReadWriteMany"], "storageClassName": "old", "resources": {"requests": {"storage": "1Gi"}}}
    world.cluster.put({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec})
    world.submit(image="server:2", upgrade=UPGRADE)
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert len(world.archives) == 1
    claim = world.cluster.find(Ref(kind=VOLUME_CLAIM, namespace=NAMESPACE, name="demo-database"))
    assert claim is not None
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert claim["spec"]["storageClassName"] == "old"


def test_a_rollout_that_does_not_come_about_is_told() -> None:
    world = a_serving_world()
    world.edit(server={"workers": 2})
    world.reconcile()
    status = world.deployment["status"]
    world.cluster.set_status(
        SERVES,
        {
            **status,
            "observedGeneration": world.deployment["metadata"]["generation"],
            "readyReplicas": 0,
            "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}],
        },
    )
    world.reconcile()
    assert world.condition("Stalled") == ("True", "RolloutFailed")
    assert "RolloutStalled" in world.events()


def test_a_server_with_no_replicas_is_as_wanted() -> None:
    world = a_serving_world()
    world.edit(replicas=0)
    world.run(30)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.condition("Available") == ("False", "NoReplicas")
    assert world.jobs("check") == ()
    rest(world)
    world.edit(replicas=1)
    world.run(30)
    assert world.ready_pods == 1


def test_messages_hold_nothing_that_changes_by_itself() -> None:
    world = an_external_world()
    world.database.is_reachable = False
    world.run(200)
    before = {one["type"]: one for one in world.status["conditions"] if one["type"] == "DatabaseReachable"}
    world.run(200)
    after = {one["type"]: one for one in world.status["conditions"] if one["type"] == "DatabaseReachable"}
    assert after == before


def test_a_backup_is_taken_anew_when_something_has_served_since() -> None:
    world = a_serving_world()
    world.endings["verify"] = "slow"
    world.edit(image="server:2")
    world.run(20)
    assert len(world.archives) == 1
    started_by_hand = world.deployment
    started_by_hand["spec"]["replicas"] = 1
    world.cluster.put(started_by_hand)
    rows = world.database.rows
    for _ in range(5):
        world.tick()
    assert world.database.rows > rows
    world.endings.clear()
    world.run(60)
    assert len(world.archives) == 2
    assert world.condition("Ready") == ("True", "AllReplicasReady")


def test_a_migration_waits_for_pods_that_take_their_time_to_end() -> None:
    world = a_world(upgrade={"backup": {"required": "Never"}})
    world.needs_backup = False
    world.run(30)
    world.grace_seconds = 20
    world.edit(image="server:2")
    world.run(15)
    assert world.condition("UpgradeInProgress") == ("True", "Quiescing")
    assert world.jobs("migrate") == ()
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")


def test_a_server_that_is_started_by_hand_during_the_migration_is_stopped_again() -> None:
    world = a_serving_world()
    world.endings["migrate"] = "slow"
    world.edit(image="server:2")
    world.run(30)
    started_by_hand = world.deployment
    started_by_hand["spec"]["replicas"] = 1
    world.cluster.put(started_by_hand)
    world.reconcile()
    assert world.replicas == 0
    world.endings.clear()
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")


def test_a_backup_is_not_put_back_over_what_was_written_since() -> None:
    world = a_serving_world()
    world.endings["migrate"] = "halfway"
    world.edit(image="server:2")
    world.run(60)
    assert world.condition("Stalled") == ("True", "MigrationFailed")
    world.database.revision = 2
    world.endings.clear()
    _retry(world)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    rows = world.database.rows
    world.edit(upgrade=RESTORE, suspend=True)
    world.run(30)
    world.edit(suspend=False)
    world.run(30)
    assert world.jobs("restore") == ()
    assert world.database.rows > rows


def test_a_failed_migration_does_not_start_again_because_a_secret_was_touched() -> None:
    world = an_external_world()
    world.run(60)
    world.endings["migrate"] = "halfway"
    world.edit(image="server:2")
    world.run(60)
    world.endings.clear()
    world.put_secret(uri="postgresql://db/touched")
    world.edit(upgrade={})
    world.run(120)
    assert world.condition("Stalled") == ("True", "MigrationFailed")
    assert world.database.revision == BROKEN
    _retry(world)
    assert world.condition("Ready") == ("True", "AllReplicasReady")


def test_an_old_version_is_not_started_on_a_schema_that_was_migrated() -> None:
    world = a_serving_world()
    world.endings["migrate"] = "slow"
    world.edit(image="server:2")
    world.run(30)
    world.unpullable.add("server:3")
    world.edit(image="server:3")
    world.endings.clear()
    world.run(60)
    assert world.database.revision == 2
    assert world.condition("Stalled") == ("True", "ImageUnusable")
    assert world.replicas == 0
    world.edit(image="server:2")
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.migrations == 2
