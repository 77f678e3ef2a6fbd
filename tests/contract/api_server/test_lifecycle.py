"""The process around the reconcile, against a real API server: what reaches the queue, who leads, how it ends."""

import asyncio
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.error import HTTPError, URLError

import pytest

from tests.support.api_server import ApiServer, free_ports
from tests.support.servers import a_resource
from tracking_operator.cluster.client import Cluster
from tracking_operator.cluster.events import Recorder
from tracking_operator.handlers.lifecycle import Ended, run
from tracking_operator.handlers.work import Work
from tracking_operator.queue import Done, Gone
from tracking_operator.resource.kinds import Manifest, Ref
from tracking_operator.settings import Settings

LEASE = "/apis/coordination.k8s.io/v1/namespaces/{}/leases/trackplane-operator"
SERVERS = "/apis/trackplane.io/v1alpha1/namespaces/{}/trackingservers"


@dataclass(kw_only=True)
class _Operator:
    """An operator that only notes what it is asked to reconcile."""

    port: int
    reconciled: list[str] = field(default_factory=list[str])

    def make_work(self, _cluster: Cluster, _recorder: Recorder) -> Work:
        async def work(ref: Ref) -> Done | Gone:
            self.reconciled.append(ref.name)
            return Done()

        return work

    def ask(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as exc:
            with exc:
                return exc.code, exc.read().decode()
        except URLError as exc:
            return 0, str(exc)

    def metric(self, name: str) -> float:
        _, text = self.ask("/metrics")
        return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name)))

    def until_reconciled(self, *names: str) -> None:
        until(lambda: set(names) <= set(self.reconciled))


def until(happened: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def operate(server: ApiServer, namespace: str, story: Callable[[_Operator], None], **changes: Any) -> None:
    """Runs an operator, here, and the story in a thread; a signal ends the operator when the story is over."""
    operator = _Operator(port=free_ports(1)[0])
    settings = Settings(
        kubeconfig=str(server.kubeconfig()),
        watch_namespaces=(namespace,),
        probe_port=operator.port,
        pod_namespace=namespace,
        pod_name="this",
        lease_seconds=5,
    )
    failures: list[BaseException] = []

    def play() -> None:
        try:
            until(lambda: operator.ask("/livez")[0] == 200)
            story(operator)
        except BaseException as exc:  # noqa: BLE001 -- raised again in the test's own thread
            failures.append(exc)
        finally:
            if operator.ask("/livez")[0]:
                os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=play)
    thread.start()
    try:
        asyncio.run(run(replace(settings, **changes), operator.make_work))
    finally:
        thread.join()
    for failure in failures:
        raise failure


def an_account(namespace: str, server: str, *, manager: str = "trackplane-operator") -> Manifest:
    labels = {"app.kubernetes.io/managed-by": manager, "app.kubernetes.io/instance": server}
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": server, "namespace": namespace, "labels": labels},
    }


def a_secret(namespace: str, name: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "stringData": {"uri": "postgresql://hidden"},
    }


def test_every_kind_of_event_names_its_server(api_server: ApiServer, namespace: str) -> None:
    def story(operator: _Operator) -> None:
        operator.until_reconciled("early")
        api_server.create(a_resource(namespace=namespace, name="late"))
        operator.until_reconciled("late")
        api_server.create(an_account(namespace, "stranger", manager="helm"))
        api_server.create(an_account(namespace, "parent"))
        operator.until_reconciled("parent")
        operator.reconciled.clear()
        api_server.request("DELETE", f"{SERVERS.format(namespace)}/early")
        operator.until_reconciled("early")
        assert "stranger" not in operator.reconciled

    api_server.create(a_resource(namespace=namespace, name="early"))
    operate(api_server, namespace, story)


def test_a_secret_names_those_that_refer_to_it(api_server: ApiServer, namespace: str) -> None:
    def story(operator: _Operator) -> None:
        operator.until_reconciled("user", "other")
        operator.reconciled.clear()
        api_server.create(a_secret(namespace, "unknown"))
        api_server.create(a_secret(namespace, "database"))
        operator.until_reconciled("user")
        assert operator.reconciled == ["user"]

    api_server.create(
        a_resource(namespace=namespace, name="user", database={"uriSecretRef": {"name": "database", "key": "uri"}})
    )
    api_server.create(a_resource(namespace=namespace, name="other"))
    operate(api_server, namespace, story)


def test_watching_writes_nothing_to_any_object(api_server: ApiServer, namespace: str) -> None:
    made = api_server.create(a_resource(namespace=namespace, name="tracking"))
    operate(api_server, namespace, lambda operator: operator.until_reconciled("tracking"))
    after = api_server.request("GET", f"{SERVERS.format(namespace)}/tracking")
    assert after["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_the_probes_and_metrics_tell_how_it_is(api_server: ApiServer, namespace: str) -> None:
    def story(operator: _Operator) -> None:
        operator.until_reconciled("tracking")
        assert operator.ask("/livez") == (200, "ok\n")
        assert operator.ask("/readyz") == (200, "ok\n")
        assert operator.metric("trackplane_operator_leader") == 1
        assert operator.metric("trackplane_trackingservers") == 1
        assert operator.metric('trackplane_operator_reconciles_total{result="done"}') >= 1
        assert operator.metric('trackplane_operator_watch_starts_total{resource="trackingservers"}') == 1
        assert operator.metric('trackplane_operator_watch_starts_total{resource="secrets"}') == 1

    api_server.create(a_resource(namespace=namespace, name="tracking"))
    operate(api_server, namespace, story)


def test_a_standby_is_ready_and_takes_over_when_the_leader_lets_go(api_server: ApiServer, namespace: str) -> None:
    def story(operator: _Operator) -> None:
        until(lambda: operator.ask("/readyz")[0] == 200)
        assert operator.metric("trackplane_operator_leader") == 0
        assert not operator.reconciled
        lease = api_server.request("GET", LEASE.format(namespace))
        api_server.request("PUT", LEASE.format(namespace), {**lease, "spec": {**lease["spec"], "holderIdentity": ""}})
        operator.until_reconciled("tracking")
        assert api_server.request("GET", LEASE.format(namespace))["spec"]["holderIdentity"] == "this"

    api_server.create(
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": "trackplane-operator", "namespace": namespace},
            "spec": {"holderIdentity": "another", "leaseDurationSeconds": 3600},
        }
    )
    api_server.create(a_resource(namespace=namespace, name="tracking"))
    operate(api_server, namespace, story)
    assert api_server.request("GET", LEASE.format(namespace))["spec"]["holderIdentity"] == ""


def test_a_leader_whose_lease_was_taken_ends(api_server: ApiServer, namespace: str) -> None:
    def story(operator: _Operator) -> None:
        operator.until_reconciled("tracking")
        lease = api_server.request("GET", LEASE.format(namespace))
        taken = {**lease["spec"], "holderIdentity": "another", "leaseDurationSeconds": 3600}
        api_server.request("PUT", LEASE.format(namespace), {**lease, "spec": taken})
        until(lambda: operator.ask("/livez")[0] == 0)

    api_server.create(a_resource(namespace=namespace, name="tracking"))
    with pytest.raises(Ended, match="the lease is lost"):
        operate(api_server, namespace, story)


def test_a_single_process_needs_no_lease(api_server: ApiServer, namespace: str) -> None:
    api_server.create(a_resource(namespace=namespace, name="tracking"))
    operate(api_server, namespace, lambda operator: operator.until_reconciled("tracking"), lease=False)
    with pytest.raises(HTTPError, match="404"):
        api_server.request("GET", LEASE.format(namespace))
