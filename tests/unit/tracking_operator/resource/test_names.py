import pytest

from tests.support.servers import UID
from tracking_operator.resource import names


def test_a_hash_stands_for_the_facts_in_any_order() -> None:
    first = names.job_hash(uid=UID, image="a:1", plan=["x", "y"])
    assert first == names.job_hash(plan=("x", "y"), image="a:1", uid=UID)
    assert first != names.job_hash(plan=["y", "x"], image="a:1", uid=UID)
    assert len(first) == 10
    assert int(first, 16) >= 0


def test_a_hash_never_changes_between_releases() -> None:
    """An operator that is upgraded in the middle of an upgrade has to find its Jobs again."""
    assert names.job_hash(uid="a", image="b", retry=None) == "4dfb84133b"


@pytest.mark.parametrize("index", [0, 7])
def test_the_names_of_the_children_of_the_longest_name_fit_into_a_label(index: int) -> None:
    name, job_hash = "a" * names.LONGEST_NAME, names.job_hash()
    children = (
        names.database_claim(name),
        names.artifacts_claim(name),
        names.backups_claim(name),
        names.check_job(name, job_hash),
        names.hook_job(name, index, job_hash),
        names.backup_job(name, job_hash),
        names.verify_job(name, job_hash),
        names.migration_job(name, job_hash),
        names.restore_job(name, job_hash),
    )
    assert max(len(child) for child in children) <= 63
    assert len(names.gc_cron_job(name)) <= 52
    assert len(set(children)) == len(children)


def test_the_selector_is_part_of_the_labels_of_the_server_and_of_no_job() -> None:
    selected = names.selector("demo").items()
    assert selected <= names.labels("demo", UID, names.SERVER).items()
    assert not selected <= names.labels("demo", UID, names.MIGRATE).items()


def test_children_are_listed_by_labels_that_they_have() -> None:
    assert names.owned_by("demo", UID).items() <= names.labels("demo", UID, names.GC).items()


def test_without_a_uid_there_is_no_label_for_it() -> None:
    assert names.SERVER_UID_LABEL not in names.labels("demo", "", names.SERVER)
