"""PostgreSQL, named by a Secret: made from nothing, used, and reached by another user once the Secret says so."""

from urllib.parse import quote

import pytest

from tests.support.kubectl import Kubectl, Manifest, eventually
from tests.support.postgres import a_postgres, sql
from tests.support.stories import a_tracking_server, log_run, names_of, pods, read_run

PASSWORD = "first/p@ss word"
OTHER_PASSWORD = "second:p@ss"
EXTERNAL = {"uriSecretRef": {"name": "tracking-database"}}
WHO = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'trackplane' ORDER BY 1"


def a_secret(user: str, password: str) -> Manifest:
    uri = f"postgresql://{user}:{quote(password, safe='')}@postgres:5432/trackplane"
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tracking-database"}, "stringData": {"uri": uri}}


@pytest.fixture(scope="module")
def tracking(operator: Kubectl, kubectl: Kubectl) -> Kubectl:
    """The namespace with a database and a server that is ready."""
    kubectl.apply(*a_postgres(PASSWORD), a_secret("trackplane", PASSWORD))
    kubectl("wait", "pod/postgres", "--for=condition=Ready", "--timeout=120s")
    kubectl.apply(a_tracking_server(database=EXTERNAL, gc={"schedule": "@yearly"}))
    kubectl.wait_for_condition("trackingserver", "tracking", "Ready", seconds=180)
    return kubectl


def test_an_empty_database_gets_its_tables_and_takes_runs(tracking: Kubectl) -> None:
    with tracking.forward("service/tracking", 5000) as url:
        run_id = log_run(url, "in PostgreSQL")
        assert read_run(url, run_id)["info"]["run_name"] == "in PostgreSQL"
    assert sql(tracking, f"SELECT name, status FROM runs WHERE run_uuid = '{run_id}'") == ["in PostgreSQL|FINISHED"]
    found = tracking.get("trackingserver", "tracking")
    assert found is not None
    assert (found["status"]["schema"]["dialect"], found["status"]["schema"]["state"]) == ("postgresql", "Current")


def test_a_changed_secret_rolls_the_pods_once_and_nobody_waits(tracking: Kubectl) -> None:
    before = names_of(pods(tracking, "tracking"))
    with tracking.forward("service/tracking", 5000) as url:
        run_id = log_run(url, "before")
    sql(tracking, f"CREATE USER other PASSWORD '{OTHER_PASSWORD}' IN ROLE trackplane")

    tracking.apply(a_secret("other", OTHER_PASSWORD))
    eventually("the other user alone is connected", lambda: sql(tracking, WHO) == ["other"], seconds=120)
    tracking.wait_for_condition("trackingserver", "tracking", "Ready")

    assert set(names_of(pods(tracking, "tracking"))).isdisjoint(before)
    assert len(tracking.list("replicasets")) == 2
    with tracking.forward("service/tracking", 5000) as url:
        assert read_run(url, run_id)["info"]["run_name"] == "before"


def test_no_password_is_told_to_anybody(operator: Kubectl, tracking: Kubectl) -> None:
    told = [
        tracking("get", "trackingservers,deployments,jobs,pods,cronjobs", "--output", "yaml"),
        tracking("get", "events", "--output", "yaml"),
        *(tracking.logs(pod, lines=-1) for pod in names_of(tracking.list("pods")) if pod != "postgres"),
        *(operator.logs(pod, lines=-1) for pod in names_of(operator.list("pods"))),
    ]
    assert OTHER_PASSWORD not in "\n".join(told)
    assert quote(OTHER_PASSWORD, safe="") not in "\n".join(told)


def test_collection_that_is_no_longer_wanted_ends(tracking: Kubectl) -> None:
    assert tracking.get("cronjob", "tracking-gc") is not None
    tracking.patch("trackingserver", "tracking", {"spec": {"gc": None}})
    eventually("its CronJob is gone", lambda: tracking.get("cronjob", "tracking-gc") is None)
