"""A PostgreSQL in a pod, for stories: the image is tests/cluster/images/postgres, the data goes with the pod."""

from typing import Final

from tests.support.kubectl import Kubectl, Manifest
from tests.support.pods import a_pod

IMAGE: Final = "trackplane-test-postgres:dev"
NAME: Final = "postgres"
"""Of the pod and of its Service."""


def a_postgres(password: str) -> tuple[Manifest, Manifest]:
    """The user `trackplane` with that password, who may do everything, and a database of that name."""
    pod = a_pod(NAME, ["/usr/local/bin/run"], image=IMAGE, user=65532)
    pod["metadata"]["labels"] = {"app": NAME}
    (container,) = pod["spec"]["containers"]
    variables = {"POSTGRES_PASSWORD": password, "PGPASSWORD": password, "PGDATA": "/tmp/postgres"}
    container["env"] = [{"name": name, "value": value} for name, value in variables.items()]
    container["readinessProbe"] = {"exec": {"command": ["pg_isready", "--host=127.0.0.1"]}, "periodSeconds": 1}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME},
        "spec": {"selector": {"app": NAME}, "ports": [{"port": 5432}]},
    }
    return pod, service


def sql(kubectl: Kubectl, statement: str) -> list[str]:
    """The rows that it answers, as `psql` prints them without decoration."""
    psql = ["psql", "--host=127.0.0.1", "--username=trackplane", "--dbname=trackplane", "--no-align", "--tuples-only"]
    return kubectl("exec", NAME, "--", *psql, "--command", statement).splitlines()
