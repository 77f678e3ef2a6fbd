"""Which archives go: only those of this database that are beyond every limit, and never the newest."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_server.backups.found import FoundArchive
from tracking_server.backups.retention import Limits, sort_out
from tracking_server.database.archive.format import FORMAT, Manifest, NativeSchema

NOW = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def an_archive(
    days_old: float, *, database: str | None = "ours", name: str = "", is_readable: bool = True
) -> FoundArchive:
    taken_at = NOW - days_old * DAY
    manifest = Manifest(
        format=FORMAT,
        tool="a test",
        created_at=taken_at.isoformat(),
        dialect="sqlite",
        database=database,
        mlflow=None,
        trackplane=None,
        tables=(),
        native_schema=NativeSchema(),
    )
    name = name or f"trackplane-{taken_at:%Y%m%dT%H%M%SZ}-abcdef.zst"
    if not is_readable:
        return FoundArchive(name=name, size_bytes=1, reason="cut off")
    return FoundArchive(name=name, size_bytes=1, manifest=manifest, taken_at=taken_at)


def expired(found: list[FoundArchive], limits: Limits, spared: str = "") -> list[FoundArchive]:
    sorted_out = sort_out(found, limits, database_id="ours", now=NOW, spared=spared)
    assert {each.name for each in (*sorted_out.expired, *sorted_out.kept, *sorted_out.others)} == {
        each.name for each in found
    }
    return list(sorted_out.expired)


FOUR = [an_archive(days) for days in (0, 1, 2, 30)]


@pytest.mark.parametrize(
    ("limits", "goes"),
    [
        pytest.param(Limits(), [], id="no limit"),
        pytest.param(Limits(last=1), [1, 2, 3], id="the newest alone"),
        pytest.param(Limits(last=3), [3], id="three"),
        pytest.param(Limits(last=9), [], id="more than there are"),
        pytest.param(Limits(age=1 * DAY), [2, 3], id="a day, and what is just as old"),
        pytest.param(Limits(age=timedelta(0)), [1, 2, 3], id="no age at all leaves the newest"),
        pytest.param(Limits(last=3, age=1.5 * DAY), [3], id="beyond both: by number"),
        pytest.param(Limits(last=1, age=7 * DAY), [3], id="beyond both: by age"),
    ],
)
def test_only_what_is_beyond_every_limit_goes(limits: Limits, goes: list[int]) -> None:
    assert expired([FOUR[2], FOUR[0], FOUR[3], FOUR[1]], limits) == [FOUR[place] for place in goes]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(an_archive(90, database="another"), id="of another database"),
        pytest.param(an_archive(90, database=None), id="of a database without id"),
        pytest.param(an_archive(90, is_readable=False), id="unreadable"),
        pytest.param(an_archive(90, name="before-lunch.zst"), id="named by somebody"),
    ],
)
def test_what_is_not_known_to_be_ours_stays_and_does_not_count(other: FoundArchive) -> None:
    sorted_out = sort_out([other, *FOUR], Limits(last=2), database_id="ours", now=NOW)
    assert sorted_out.others == [other]
    assert sorted_out.expired == FOUR[2:]
    assert sort_out([other], Limits(last=1), database_id="ours", now=NOW).expired == []


def test_the_new_one_stays_whatever_the_clocks_say() -> None:
    ahead = an_archive(-1)
    assert expired([ahead, *FOUR], Limits(last=1)) == FOUR
    assert expired([ahead, *FOUR], Limits(last=1), spared=FOUR[0].name) == FOUR[1:]


@given(
    ages=st.lists(st.integers(0, 100), max_size=12, unique=True),
    last=st.none() | st.integers(1, 14),
    days=st.none() | st.integers(0, 100),
)
def test_the_newest_and_all_within_a_limit_stay(ages: list[int], last: int | None, days: int | None) -> None:
    limits = Limits(last=last, age=None if days is None else days * DAY)
    found = [an_archive(age) for age in ages]
    sorted_out = sort_out(found, limits, database_id="ours", now=NOW)
    kept_ages = [age for age in sorted(ages) if an_archive(age) in sorted_out.kept]
    assert kept_ages[:1] == sorted(ages)[:1]
    assert set(sorted(ages)[: last or 0]) <= set(kept_ages)
    assert all(age in kept_ages for age in ages if days is not None and age <= days)
    assert len(sorted_out.kept) + len(sorted_out.expired) == len(found)
    assert (limits.last is None and limits.age is None) <= (not sorted_out.expired)
