"""The operator may do what it does, and nothing else. This comes last: the other stories show what it does.

`make cluster-test STORY=permissions` judges the stories that ran since the operator was installed as it is now.
"""

from datetime import datetime
from typing import TypeAlias

import pytest

from tests.support.audit import Asked, asked
from tests.support.charts import of_kind, rendered
from tests.support.kubectl import Kubectl

Right: TypeAlias = tuple[str, str, str]
"""Verb, API group, resource."""


@pytest.fixture(scope="module")
def history(operator: Kubectl) -> list[Asked]:
    """What operators of this version have asked for."""
    versions = operator.list("replicasets", "app.kubernetes.io/name=trackplane-operator")
    (current,) = (version for version in versions if version["spec"]["replicas"])
    return asked(since=datetime.fromisoformat(current["metadata"]["creationTimestamp"]))


@pytest.fixture(scope="module")
def lease() -> list[Asked]:
    """The Lease is made once, by the first version that was ever installed."""
    return [one for one in asked() if one.resource == "leases"]


def granted() -> set[Right]:
    manifests = rendered(namespace="trackplane-system")
    roles = [role for kind in ("Role", "ClusterRole") for role in of_kind(manifests, kind)]
    of_people = ("-view", "-edit")
    return {
        (verb, group, resource)
        for role in roles
        if not role["metadata"]["name"].endswith(of_people)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def used(history: list[Asked]) -> set[Right]:
    """An apply that made the object needs the right to create, too."""
    rights = {(one.verb, one.group, one.resource) for one in history}
    made = {("create", one.group, one.resource) for one in history if (one.verb, one.code) == ("patch", 201)}
    return rights | made


def test_nothing_was_refused(history: list[Asked]) -> None:
    assert [one for one in history if not one.is_allowed] == []


def test_every_right_was_used(history: list[Asked], lease: list[Asked]) -> None:
    unused = sorted(granted() - used(history + lease))
    assert unused == [], "no story needs these rights; all stories have to have run before this one"
