"""Where nothing has changed, nothing is written; and of two operators one acts, until the other takes over."""

import re
import time
from datetime import datetime

import pytest

from tests.support.audit import now, written
from tests.support.http import call
from tests.support.kubectl import Kubectl, eventually
from tests.support.stories import a_tracking_server, end_at_once, leader, names_of

SETTLED_SECONDS = 5
RECONCILES = 100


@pytest.fixture(scope="module")
def at_rest(operator: Kubectl, kubectl: Kubectl) -> Kubectl:
    """The namespace with a server in it, ready, about which nothing has been written for a while."""
    kubectl.apply(a_tracking_server(gc={"schedule": "@yearly"}))
    kubectl.wait_for_condition("trackingserver", "tracking", "Ready", seconds=180)
    rest(kubectl)
    return kubectl


def rest(kubectl: Kubectl) -> None:
    def is_quiet() -> bool:
        return (now() - written(kubectl.namespace)[-1].at).total_seconds() > SETTLED_SECONDS

    eventually("the operator has nothing more to write", is_quiet, every=1)


def reconciles(operator: Kubectl, pod: str) -> int:
    """How many that operator has finished since it started."""
    with operator.forward(f"pod/{pod}", 8080) as url:
        text = call(url, "GET", "/metrics").body.decode()
    counted = re.search(r'^trackplane_operator_reconciles_total\{result="done"\} (\d+)', text, re.MULTILINE)
    return int(counted[1]) if counted else 0


def test_a_hundred_reconciles_of_an_unchanged_object_write_nothing(operator: Kubectl, at_rest: Kubectl) -> None:
    acting = leader(operator)
    before, began = reconciles(operator, acting), now()
    count = 0
    while reconciles(operator, acting) - before < RECONCILES:
        for _ in range(20):
            at_rest.patch("trackingserver", "tracking", {"metadata": {"annotations": {"example.com/note": str(count)}}})
            count += 1
        assert count < 3 * RECONCILES, "the operator does not look at what has changed"
    assert written(at_rest.namespace, since=began) == []


def test_what_somebody_has_changed_is_set_back_and_told(at_rest: Kubectl) -> None:
    """Twice, in one Event."""
    label = "app.kubernetes.io/managed-by"

    def is_set_back() -> bool:
        service = at_rest.get("service", "tracking")
        return service is not None and service["metadata"]["labels"][label] == "trackplane-operator"

    for _ in range(2):
        at_rest.patch("service", "tracking", {"metadata": {"labels": {label: "somebody"}}})
        eventually("the label is set back", is_set_back, seconds=10)

    def told() -> bool:
        events = at_rest.list("events.events.k8s.io")
        (drift,) = (event for event in events if event["reason"] == "DriftCorrected")
        return "series" in drift and "labels" in drift["note"]

    eventually("one Event tells both", told, seconds=30)


def change_and_wait(kubectl: Kubectl, note: str) -> None:
    """Something that only an operator that acts carries out."""
    annotations = {"example.com/note": note}
    kubectl.patch("trackingserver", "tracking", {"spec": {"networking": {"service": {"annotations": annotations}}}})

    def is_done() -> bool:
        service = kubectl.get("service", "tracking")
        return service is not None and service["metadata"]["annotations"].get("example.com/note") == note

    eventually(f"the Service is annotated {note}", is_done)


def actors(kubectl: Kubectl, since: datetime) -> list[str]:
    """The operators that have changed something there, each time that another one did than before."""
    pods = [one.pod for one in written(kubectl.namespace, since=since)]
    return [pod for index, pod in enumerate(pods) if index == 0 or pods[index - 1] != pod]


def test_one_operator_acts_and_when_it_is_killed_the_other_takes_over(operator: Kubectl, at_rest: Kubectl) -> None:
    operator("rollout", "status", "deployment/trackplane-operator", "--timeout=60s")
    began, first = now(), leader(operator)
    assert len(operator.list("pods")) == 2
    change_and_wait(at_rest, "of the first")

    end_at_once(operator, first)
    change_and_wait(at_rest, "of the second")
    second = leader(operator)
    assert second != first
    operator("rollout", "status", "deployment/trackplane-operator", "--timeout=60s")
    assert first not in names_of(operator.list("pods"))

    time.sleep(SETTLED_SECONDS)
    assert actors(at_rest, began) == [first, second]


def test_an_operator_that_has_just_taken_over_writes_nothing_at_rest(operator: Kubectl, at_rest: Kubectl) -> None:
    rest(at_rest)
    began, first = now(), leader(operator)
    operator("delete", "pod", first, "--wait=false")
    eventually("another one leads", lambda: leader(operator) != first)
    acting = leader(operator)
    eventually("it has looked at everything", lambda: reconciles(operator, acting) > 0)
    time.sleep(SETTLED_SECONDS)
    assert written(at_rest.namespace, since=began) == []
