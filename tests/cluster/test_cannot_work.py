"""What cannot work is named, with its field and what to do, and goes on by itself once that is done.

One server meets one fault after the other, and nobody touches its resource; another one has a hook that cannot start.
"""

import pytest

from tests.support.kubectl import Kubectl, Manifest
from tests.support.pods import SERVER_IMAGE
from tests.support.postgres import a_postgres
from tests.support.stories import NEWER_IMAGE, a_tracking_server, jobs, log_run, names_of, pods, read_run
from tracking_operator.resource import names

URI = "postgresql://trackplane:secret@postgres:5432/trackplane"
FIELD = "spec.database.uriSecretRef"


def a_secret(**keys: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "database"}, "stringData": keys}


@pytest.fixture(scope="module")
def servers(operator: Kubectl, kubectl: Kubectl) -> Kubectl:
    """The namespace with the server that has no Secret, and with one whose upgrade has begun with a bad hook."""
    hook = {"name": "announce", "image": "registry.invalid/announce:missing"}
    kubectl.apply(
        a_tracking_server(database={"uriSecretRef": {"name": "database", "key": "uri"}}),
        a_tracking_server("hooked", image=SERVER_IMAGE, upgrade={"hooks": {"preMigration": [hook]}}),
    )
    kubectl.wait_for_condition("trackingserver", "hooked", "Ready", seconds=180)
    kubectl.patch("trackingserver", "hooked", {"spec": {"image": NEWER_IMAGE}})
    return kubectl


def assert_says(condition: Manifest, *words: str) -> None:
    assert [word for word in words if word not in condition["message"]] == [], condition


def assert_not_ready(kubectl: Kubectl, reason: str) -> None:
    ready = kubectl.condition("trackingserver", "tracking", "Ready")
    assert ready is not None
    assert (ready["status"], ready["reason"]) == ("False", reason)


def test_a_missing_secret(servers: Kubectl) -> None:
    found = servers.wait_for_condition(
        "trackingserver", "tracking", "ReferencesResolved", "False", reason="NotFound", seconds=30
    )
    assert_says(found, FIELD, "Secret database", "create it")
    assert_not_ready(servers, "ReferenceMissing")
    assert jobs(servers, "tracking", names.CHECK) == []


def test_a_secret_without_the_key(servers: Kubectl) -> None:
    servers.apply(a_secret(url=URI))
    found = servers.wait_for_condition(
        "trackingserver", "tracking", "ReferencesResolved", "False", reason="KeyMissing", seconds=60
    )
    assert_says(found, FIELD, "Secret", "key")
    assert_not_ready(servers, "KeyMissing")


def test_a_key_that_is_no_uri(servers: Kubectl) -> None:
    servers.apply(a_secret(uri="postgresql/trackplane:secret"))
    found = servers.wait_for_condition("trackingserver", "tracking", "Stalled", reason="ConfigInvalid", seconds=60)
    assert_says(found, FIELD)
    assert "secret" not in found["message"].replace(FIELD, "").lower()
    resolved = servers.condition("trackingserver", "tracking", "ReferencesResolved")
    assert resolved is not None
    assert resolved["status"] == "True"


def test_a_database_that_does_not_answer(servers: Kubectl) -> None:
    servers.apply(a_secret(uri=URI))
    found = servers.wait_for_condition(
        "trackingserver", "tracking", "DatabaseReachable", "False", reason="DatabaseUnreachable", seconds=150
    )
    assert_says(found, FIELD, "postgres", "Look at the database")
    assert servers.condition("trackingserver", "tracking", "Stalled") is None


def test_once_the_database_is_there_everything_goes_on(servers: Kubectl) -> None:
    servers.apply(*a_postgres("secret"))
    servers.wait_for_condition("trackingserver", "tracking", "Ready", seconds=240)
    with servers.forward("service/tracking", 5000) as url:
        assert read_run(url, log_run(url, "at last"))["info"]["run_name"] == "at last"
    resource = servers.get("trackingserver", "tracking")
    assert resource is not None
    assert resource["metadata"]["generation"] == 1


def test_a_hook_that_cannot_start_is_given_up_and_what_served_serves_again(servers: Kubectl) -> None:
    stalled = servers.wait_for_condition("trackingserver", "hooked", "Stalled", reason="HookFailed", seconds=240)
    assert_says(stalled, "registry.invalid/announce:missing", "The schema is unchanged", "Correct the hook")
    servers.wait_for_condition("trackingserver", "hooked", "Available")
    (pod,) = pods(servers, "hooked")
    assert pod["spec"]["containers"][0]["image"] == SERVER_IMAGE
    assert names_of(jobs(servers, "hooked", names.MIGRATE)) == []
