"""Whose an object is that has the name of a child, by its labels and owner references."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.support.servers import NAME, NAMESPACE, UID, a_server
from tracking_operator.decisions.ownership import Owner, ownership_of
from tracking_operator.desired.metadata import owner_reference
from tracking_operator.resource import names
from tracking_operator.resource.kinds import (
    CRON_JOB,
    DEPLOYMENT,
    POD,
    SERVICE,
    SERVICE_ACCOUNT,
    VOLUME_CLAIM,
    Kind,
    Manifest,
    Ref,
    ref_of,
)

OURS: Final = owner_reference(a_server())
OLD: Final = owner_reference(a_server(uid="old"))
OTHER_SERVER: Final = owner_reference(a_server(name="other", uid="other"))
LABELS: Final = names.labels(NAME, UID, names.SERVER)
OLD_LABELS: Final = names.labels(NAME, "old", names.SERVER)


def an_object(kind: Kind, *owners: Manifest, labels: Mapping[str, str] | None = None, **metadata: Any) -> Manifest:
    found = {"name": NAME, "namespace": NAMESPACE, "labels": dict(labels or {}), "ownerReferences": list(owners)}
    return {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {**found, **metadata}}


@pytest.mark.parametrize("kind", [SERVICE, DEPLOYMENT, SERVICE_ACCOUNT, CRON_JOB])
@pytest.mark.parametrize(
    ("owners", "labels", "owner"),
    [
        pytest.param((OURS,), LABELS, "Ours", id="as we make it"),
        pytest.param((OURS,), {}, "Ours", id="somebody took the labels off"),
        pytest.param((), LABELS, "Ours", id="somebody took the owner off"),
        pytest.param((OLD,), OLD_LABELS, "Predecessor", id="of the TrackingServer before"),
        pytest.param((OLD,), {}, "Predecessor", id="of the one before, without labels"),
        pytest.param((), {}, "Stranger", id="made by hand"),
        pytest.param((), {names.MANAGED_BY_LABEL: "Helm"}, "Stranger", id="of a chart"),
        pytest.param((), {names.SERVER_UID_LABEL: UID}, "Stranger", id="half of our labels"),
        pytest.param((), OLD_LABELS, "Stranger", id="orphaned on purpose: nobody deletes it"),
        pytest.param((OTHER_SERVER,), {}, "Stranger", id="of another TrackingServer"),
    ],
)
def test_an_owner_reference_or_our_labels_make_an_object_ours(
    kind: Kind, owners: tuple[Manifest, ...], labels: Mapping[str, str], owner: Owner
) -> None:
    live = an_object(kind, *owners, labels=labels)
    ref = ref_of(live)
    found = ownership_of(a_server(gc={"schedule": "@daily"}), {ref: live}, ())
    assert found.children == {ref: live if owner == "Ours" else None}
    assert found.taken == ((ref,) if owner == "Stranger" else ())
    assert found.leaving == ((ref,) if owner == "Predecessor" else ())


@pytest.mark.parametrize("owners", [(), (OLD,)])
def test_a_claim_is_ours_whoever_made_it(owners: tuple[Manifest, ...]) -> None:
    live = an_object(VOLUME_CLAIM, *owners)
    found = ownership_of(a_server(), {ref_of(live): live}, ())
    assert (found.children, found.taken, found.leaving) == ({ref_of(live): live}, (), ())


def test_a_name_that_is_free_or_not_wanted_is_not_taken() -> None:
    free = Ref(kind=SERVICE, namespace=NAMESPACE, name=NAME)
    unwanted = an_object(CRON_JOB, name=names.gc_cron_job(NAME))
    found = ownership_of(a_server(), {free: None, ref_of(unwanted): unwanted}, ())
    assert (found.taken, found.leaving) == ((), ())
    assert found.children == {free: None, ref_of(unwanted): None}


def test_pods_of_the_one_before_are_leaving_while_they_live() -> None:
    ours = {**an_object(POD, labels=LABELS, name="ours"), "status": {"phase": "Running"}}
    old = {**an_object(POD, labels=OLD_LABELS, name="old"), "status": {"phase": "Running"}}
    ended = {**an_object(POD, labels=OLD_LABELS, name="ended"), "status": {"phase": "Failed"}}
    found = ownership_of(a_server(), {}, (ours, old, ended))
    assert found.pods == (ours,)
    assert found.leaving == (ref_of(old),)
