"""An image that cannot serve is asked for. What serves goes on serving the whole time, and the condition says why."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from tests.support import postgres
from tests.support.kubectl import Kubectl
from tests.support.pods import SERVER_IMAGE
from tests.support.stories import a_tracking_server, is_serving, log_run, names_of, pods, read_run

NOWHERE = "registry.invalid/trackplane-server:missing"


@pytest.fixture(scope="module")
def serving(operator: Kubectl, kubectl: Kubectl) -> Kubectl:
    """The namespace with a server in it that is ready."""
    kubectl.apply(a_tracking_server(image=SERVER_IMAGE))
    kubectl.wait_for_condition("trackingserver", "tracking", "Ready", seconds=180)
    return kubectl


@contextmanager
def asked_all_the_time(url: str) -> Generator[list[float]]:
    """The moments, in seconds from the start, at which the server did not answer."""
    began, silent, is_over = time.monotonic(), list[float](), threading.Event()

    def ask() -> None:
        while not is_over.wait(0.2):
            if not is_serving(url):
                silent.append(time.monotonic() - began)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield silent
    finally:
        is_over.set()
        thread.join()


@pytest.mark.parametrize(
    ("image", "words"),
    [
        pytest.param(NOWHERE, NOWHERE, id="it-does-not-exist"),
        pytest.param(postgres.IMAGE, "trackplane", id="it-has-no-such-program"),
    ],
)
def test_what_serves_goes_on_serving(serving: Kubectl, image: str, words: str) -> None:
    before = names_of(pods(serving, "tracking"))
    with serving.forward("service/tracking", 5000) as url, asked_all_the_time(url) as silent:
        run_id = log_run(url, "before")
        serving.patch("trackingserver", "tracking", {"spec": {"image": image}})
        stalled = serving.wait_for_condition("trackingserver", "tracking", "Stalled", reason="ImageUnusable")
        ready = serving.condition("trackingserver", "tracking", "Ready")
        available = serving.condition("trackingserver", "tracking", "Available")
        log_run(url, "meanwhile")

        serving.patch("trackingserver", "tracking", {"spec": {"image": SERVER_IMAGE}})
        serving.wait_for_condition("trackingserver", "tracking", "Ready")
        assert read_run(url, run_id)["info"]["run_name"] == "before"

    assert words in stalled["message"]
    assert "spec.image" in stalled["message"]
    assert ready is not None
    assert (ready["status"], ready["reason"]) == ("False", "ImageUnusable")
    assert available is not None
    assert available["status"] == "True"
    assert names_of(pods(serving, "tracking")) == before
    assert silent == []
    assert serving.condition("trackingserver", "tracking", "Stalled") is None
