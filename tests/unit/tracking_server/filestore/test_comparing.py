"""Where an experiment of a folder belongs, and what two sides of a run say."""

from dataclasses import replace

import pytest

from tracking_server.database.statements.metrics import Point
from tracking_server.filestore.comparing import (
    Differs,
    Grown,
    KnownExperiment,
    KnownRun,
    Place,
    Same,
    compare_run,
    place_experiment,
)
from tracking_server.filestore.rows import Experiment, FoundRun, Run

LONG = 340689330227026888


def an_experiment(experiment_id: int = 7, name: str = "seven", creation_time: int | None = 5) -> Experiment:
    return Experiment(experiment_id, name, "s3://b/7", "active", creation_time, creation_time)


def known(experiment_id: int = 7, name: str = "seven", time: int | None = 5, uri: str = "s3://b/7") -> KnownExperiment:
    return KnownExperiment(experiment_id, name, time, uri)


@pytest.mark.parametrize(
    ("found", "there", "dialect", "place"),
    [
        pytest.param(an_experiment(), [], "postgresql", (7, "seven", False), id="new"),
        pytest.param(an_experiment(), [known(3)], "sqlite", (3, "seven", True), id="the same under another id"),
        pytest.param(an_experiment(), [known(3, "renamed")], "sqlite", (3, "renamed", True), id="renamed since"),
        pytest.param(an_experiment(), [known(3, "twin")], "sqlite", (7, "seven", False), id="another of the folder"),
        pytest.param(an_experiment(), [known(3, time=6)], "sqlite", (7, "seven (7)", False), id="a name that is taken"),
        pytest.param(an_experiment(), [known(7, "o", 6)], "sqlite", (None, "seven", False), id="an id that is taken"),
        pytest.param(an_experiment(creation_time=None), [known(3)], "sqlite", (3, "seven", True), id="without a time"),
        pytest.param(an_experiment(LONG), [], "sqlite", (LONG, "seven", False), id="a long id"),
        pytest.param(an_experiment(LONG), [], "mysql", (None, "seven", False), id="a long id elsewhere"),
        pytest.param(an_experiment(0, "A"), [known(0, "B", 9)], "mysql", (0, "B", True), id="experiment 0"),
        pytest.param(
            an_experiment(), [known(3, "SEVEN ", 6)], "mysql", (7, "seven (7)", False), id="a name that MariaDB has"
        ),
    ],
)
def test_where_an_experiment_goes(
    found: Experiment, there: list[KnownExperiment], dialect: str, place: tuple[int | None, str, bool]
) -> None:
    experiment_id, name, is_known = place
    expected = Place(experiment_id=experiment_id, name=name, is_known=is_known)
    assert place_experiment(found, there, {"seven", "twin"}, dialect) == expected


ROW = Run("a", "n", "LOCAL", "", "", "me", "FINISHED", 1, 2, "", "active", "s3://b", 7, None)
FOUND = FoundRun(path="7/a", row=ROW, params={"lr": "1"}, tags={"t": "x"})
KNOWN = KnownRun(
    name="n",
    status="FINISHED",
    lifecycle_stage="active",
    start_time=1,
    end_time=2,
    params={"lr": "1"},
    tags={"t": "x", "ours": "y"},
    latest={"m": (3, 4, 0.5)},
)
RUNNING = replace(KNOWN, status="RUNNING", end_time=None)


@pytest.mark.parametrize(
    ("found", "latest", "there", "expected"),
    [
        pytest.param(FOUND, [Point("m", 4, 3, 0.5, False)], KNOWN, Same(), id="the same"),
        pytest.param(FOUND, [Point("m", 9, 2, 0.9, False)], KNOWN, Same(), id="the database is further"),
        pytest.param(FOUND, [Point("m", 4, 3, 0.6, False)], KNOWN, Differs(("metrics/m",)), id="the folder is further"),
        pytest.param(FOUND, [], replace(KNOWN, name="o"), Differs(("name",)), id="another name"),
        pytest.param(FOUND, [], replace(KNOWN, params={}), Differs(("params/lr",)), id="a param more"),
        pytest.param(FOUND, [], RUNNING, Grown(has_ended=True), id="it has ended"),
        pytest.param(FOUND, [], replace(RUNNING, tags={"t": "z"}), Differs(("tags/t",)), id="a tag changed meanwhile"),
        pytest.param(
            replace(FOUND, row=ROW._replace(status="RUNNING", end_time=None)),
            [Point("new", 1, 1, 1.0, False)],
            RUNNING,
            Grown(has_ended=False),
            id="it goes on",
        ),
    ],
)
def test_what_two_sides_of_a_run_say(
    found: FoundRun, latest: list[Point], there: KnownRun, expected: Same | Grown | Differs
) -> None:
    assert compare_run(found, latest, there) == expected
