"""Random sequences of everything that can happen to a TrackingServer. The world checks at each step what must never be;
at the end all faults are mended, one more attempt is asked for, and the wish has to come true."""

from typing import Any, Final, get_args

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.clusters import CRON, SERVER, SERVES, Ending, World
from tests.support.servers import EXTERNAL, NAMESPACE, SHARED_VOLUME
from tracking_operator.resource import names
from tracking_operator.resource.kinds import JOB, POD, SERVICE, Ref, ref_of

IMAGES: Final = ("server:1", "server:1.1", "server:2", "server:3")
LAST_IMAGE: Final = "server:20"
COMPONENTS: Final = (names.CHECK, names.HOOK, names.BACKUP, names.VERIFY, names.MIGRATE, names.RESTORE, names.GC)
HOOKS: Final[tuple[list[dict[str, Any]], ...]] = (
    [],
    [{"name": "one", "image": "hook:1"}],
    [{"name": "one", "image": "hook:1"}, {"name": "two", "image": "hook:2"}],
)


class EverythingThatHappens(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.retries = 0

    @initialize(is_external=st.booleans(), revision=st.sampled_from([None, 1]))
    def start(self, is_external: bool, revision: int | None) -> None:
        self.world.database.revision = revision
        self.world.put_secret()
        store: dict[str, Any] = {"database": EXTERNAL, "artifacts": SHARED_VOLUME} if is_external else {}
        self.world.submit(image="server:1", gc={"schedule": "@daily"}, **store)

    # Time, and the operator.

    @rule(seconds=st.integers(1, 4))
    def a_moment_passes(self, seconds: int) -> None:
        self.world.run(seconds)

    @rule(seconds=st.integers(5, 30))
    def a_while_passes(self, seconds: int) -> None:
        self.world.run(seconds)

    @rule(seconds=st.integers(1, 5))
    def events_are_lost(self, seconds: int) -> None:
        for _ in range(seconds):
            self.world.tick()

    @rule()
    def an_event_is_repeated(self) -> None:
        self.world.reconcile()

    @rule(dies_after=st.integers(0, 4))
    def the_operator_dies_between_two_writes(self, dies_after: int) -> None:
        self.world.reconcile(dies_after=dies_after)

    @rule()
    def the_status_is_lost(self) -> None:
        self.world.cluster.set_status(SERVER, {})

    # The user.

    @rule()
    def an_upgrade(self) -> None:
        self.world.edit(image=f"server:{max(self.world.database.revision or 0, 1) + 1}")

    @rule()
    def the_image_that_fits(self) -> None:
        self.world.edit(image=f"server:{max(self.world.database.revision or 0, 1)}")

    @rule(image=st.sampled_from(IMAGES))
    def any_image(self, image: str) -> None:
        self.world.edit(image=image)

    @rule(
        hooks=st.sampled_from(HOOKS),
        on_failure=st.sampled_from(["Hold", "RestoreBackup"]),
        required=st.sampled_from(["WhenMigrating", "Always"]),
    )
    def another_upgrade_policy(self, hooks: list[dict[str, Any]], on_failure: str, required: str) -> None:
        self.world.edit(
            upgrade={
                "hooks": {"preMigration": hooks},
                "onFailure": on_failure,
                "backup": {"required": required},
            }
        )

    @rule(workers=st.integers(1, 4))
    def another_setting(self, workers: int) -> None:
        self.world.edit(server={"workers": workers})

    @rule()
    def another_attempt(self) -> None:
        self.retries += 1
        self.world.edit(annotations={names.RETRY_ANNOTATION: str(self.retries)})

    @rule(suspend=st.booleans())
    def suspend(self, suspend: bool) -> None:
        self.world.edit(suspend=suspend)

    @rule()
    def the_secret_is_rotated(self) -> None:
        self.retries += 1
        self.world.put_secret(uri=f"postgresql://db/mlflow?{self.retries}")

    @rule(index=st.integers(0, 9))
    def a_job_is_deleted_by_hand(self, index: int) -> None:
        for job in self.world.cluster.objects(JOB, NAMESPACE)[index:][:1]:
            self.world.drop(ref_of(job))

    @rule(ref=st.sampled_from([SERVES, CRON, Ref(kind=SERVICE, namespace=NAMESPACE, name=SERVER.name)]))
    def a_child_is_deleted_by_hand(self, ref: Ref) -> None:
        self.world.drop(ref)

    @rule(replicas=st.integers(0, 1), seconds=st.integers(0, 5))
    def the_deployment_is_scaled_by_hand(self, replicas: int, seconds: int) -> None:
        """And the operator hears of it later."""
        found = self.world.cluster.find(SERVES)
        if found is not None:
            found["spec"]["replicas"] = replicas
            self.world.cluster.put(found)
            self.events_are_lost(seconds)

    # What goes wrong.

    @rule(component=st.sampled_from(COMPONENTS), ending=st.sampled_from(get_args(Ending)))
    def jobs_end_otherwise(self, component: str, ending: Ending) -> None:
        self.world.endings[component] = ending

    @rule()
    def jobs_end_well_again(self) -> None:
        self.world.endings.clear()

    @rule(seconds=st.integers(1, 6))
    def pods_take_their_time_to_end(self, seconds: int) -> None:
        self.world.grace_seconds = seconds

    @rule(image=st.sampled_from([*IMAGES, "hook:1"]))
    def an_image_cannot_be_pulled(self, image: str) -> None:
        self.world.unpullable.add(image)

    @rule()
    def images_can_be_pulled_again(self) -> None:
        self.world.unpullable.clear()

    @rule(is_reachable=st.booleans())
    def the_database_comes_and_goes(self, is_reachable: bool) -> None:
        self.world.database.is_reachable = is_reachable

    @rule(component=st.sampled_from([*COMPONENTS, names.SERVER]))
    def a_pod_is_killed(self, component: str) -> None:
        self.world.crash_pod(component)

    @rule(index=st.integers(0, 9))
    def a_pod_is_deleted_by_hand(self, index: int) -> None:
        for pod in self.world.cluster.objects(POD, NAMESPACE)[index:][:1]:
            self.world.drop(ref_of(pod))

    @rule()
    def garbage_is_collected(self) -> None:
        self.world.collect_garbage()

    @invariant()
    def nothing_forbidden(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        """Mended, and asked once more: what is wanted serves, and then nothing is written any more."""
        if self.world.cluster.find(SERVER) is None:
            return
        world = self.world
        world.endings.clear()
        world.unpullable.clear()
        world.database.is_reachable = True
        world.edit(image=LAST_IMAGE, suspend=False, annotations={names.RETRY_ANNOTATION: "at last"})
        world.run(400)
        assert world.condition("Ready") == ("True", "AllReplicasReady"), world.status
        assert world.serving_image == LAST_IMAGE
        assert world.condition("Stalled") is None
        before = len(world.cluster.requests)
        world.reconcile()
        world.reconcile()
        assert world.cluster.requests[before:] == []


EverythingThatHappens.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestEverythingThatHappens = EverythingThatHappens.TestCase
