import pytest

from tracking_server.database import schema
from tracking_server.database.check import (
    BEFORE_THE_FIRST,
    Current,
    DatabaseState,
    Empty,
    Facts,
    Foreign,
    Newer,
    Outdated,
    Standing,
    explain,
    judge,
    steps_to,
    trackplane_steps,
)
from tracking_server.database.migrations import trackplane
from tracking_server.database.migrations.mlflow import HEAD, releases
from tracking_server.database.migrations.mlflow.copies import COPIES
from tracking_server.errors import ConfigInvalid

NOTHING: frozenset[str] = frozenset()
MLFLOW = frozenset(schema.metadata.tables)
OWN_HEAD = trackplane.HEAD


def judged(
    tables: frozenset[str], mlflow: str | None, trackplane: str | None = None, dialect: str = "sqlite"
) -> DatabaseState:
    return judge(
        Facts(
            dialect=dialect,
            mlflow=Standing(current=mlflow, head=HEAD),
            trackplane=Standing(current=trackplane, head=OWN_HEAD),
            size_bytes=0,
        ),
        tables,
    )


@pytest.mark.parametrize(
    ("tables", "mlflow", "trackplane", "kind"),
    [
        pytest.param(NOTHING, None, None, Empty, id="nothing"),
        pytest.param(frozenset({"alembic_version"}), None, None, Empty, id="a record without a row"),
        pytest.param(frozenset({"alembic_version"}), HEAD, None, Foreign, id="a record without tables"),
        pytest.param(MLFLOW, HEAD, OWN_HEAD, Current, id="both heads"),
        pytest.param(MLFLOW | {"theirs"}, HEAD, OWN_HEAD, Current, id="tables of others are nobody's business"),
        pytest.param(MLFLOW, HEAD, None, Outdated, id="as MLFlow made it"),
        pytest.param(MLFLOW, HEAD, "0001", Outdated, id="ours is behind"),
        pytest.param(BEFORE_THE_FIRST, None, None, Outdated, id="before the first revision"),
        pytest.param(BEFORE_THE_FIRST, "451aebb31d03", None, Outdated, id="the first revision"),
        pytest.param(MLFLOW, "f4a9b2c7d1e6", OWN_HEAD, Newer, id="a later MLflow"),
        pytest.param(MLFLOW, HEAD, "9999", Newer, id="a later release of ours"),
        pytest.param(frozenset({"customers"}), None, None, Foreign, id="another program's"),
        pytest.param(frozenset({"experiments", "runs"}), None, None, Foreign, id="another program's with our words"),
        pytest.param(MLFLOW - {"spans"}, HEAD, None, Foreign, id="at the head, and a table is gone"),
    ],
)
def test_what_a_database_is(
    tables: frozenset[str], mlflow: str | None, trackplane: str | None, kind: type[DatabaseState]
) -> None:
    assert type(judged(tables, mlflow, trackplane)) is kind


@pytest.mark.parametrize(
    ("tables", "mlflow", "kind", "said"),
    [
        pytest.param(NOTHING, None, Empty, "`mlflow db upgrade`", id="nothing"),
        pytest.param(MLFLOW, "b7e2c1a4d9f3", Outdated, "`mlflow db upgrade`", id="an older one"),
        pytest.param(MLFLOW, HEAD, Current, "without webhooks and garbage collection", id="MLflow's head"),
    ],
)
def test_on_sql_server_the_tables_are_mlflows_alone(
    tables: frozenset[str], mlflow: str | None, kind: type[DatabaseState], said: str
) -> None:
    state = judged(tables, mlflow, dialect="mssql")
    assert type(state) is kind
    assert said in explain(state)
    assert "never run on one" in explain(state)
    assert "trackplane db upgrade" not in explain(state)


def test_a_database_of_mlflow_at_its_head_lacks_only_what_adds() -> None:
    state = judged(MLFLOW, HEAD)
    assert isinstance(state, Outdated)
    assert [step.lineage for step in state.steps] == ["trackplane"] * len(trackplane_steps())
    assert state.is_additive
    assert state.is_at_mlflow_head


def test_an_old_database_lacks_every_later_revision_and_ours() -> None:
    state = judged(BEFORE_THE_FIRST, "451aebb31d03")
    assert isinstance(state, Outdated)
    assert [step.lineage for step in state.steps].count("mlflow") == 66
    assert not state.is_additive
    assert not state.is_at_mlflow_head


def test_the_revisions_of_ours_are_one_line() -> None:
    assert [step.revision for step in trackplane_steps()] == ["0001", "0002", "0003"]
    assert all(step.is_additive for step in trackplane_steps())


def test_the_heads_are_the_last_revisions() -> None:
    assert trackplane_steps()[-1].revision == trackplane.HEAD
    assert list(releases())[-1] == HEAD


@pytest.mark.parametrize(
    ("state", "said"),
    [
        pytest.param(judged(NOTHING, None), ["empty", "trackplane db upgrade"], id="empty"),
        pytest.param(judged(MLFLOW, HEAD), ["can be served", "trackplane db upgrade"], id="ours is behind"),
        pytest.param(
            judged(BEFORE_THE_FIRST, "acf3f17fdcc7"),
            ["acf3f17fdcc7", "2.8.0", HEAD, "trackplane db upgrade", "47 steps"],
            id="old",
        ),
        pytest.param(judged(BEFORE_THE_FIRST, None), ["before MLflow 1.0"], id="ancient"),
        pytest.param(judged(MLFLOW, "f4a9b2c7d1e6"), ["f4a9b2c7d1e6", HEAD, "Nothing was changed"], id="newer"),
        pytest.param(judged(frozenset({"customers"}), None), ["customers", "Nothing was changed"], id="foreign"),
    ],
)
def test_a_person_is_told_what_was_found_what_is_needed_and_what_to_do(state: DatabaseState, said: list[str]) -> None:
    for part in said:
        assert part in explain(state)


OLD = judged(BEFORE_THE_FIRST, "451aebb31d03")


@pytest.mark.parametrize(
    ("state", "revision", "ends"),
    [
        pytest.param(OLD, None, (69, "0003"), id="all"),
        pytest.param(OLD, "90e64c465722", (1, "90e64c465722"), id="the next"),
        pytest.param(OLD, HEAD, (66, HEAD), id="the head of MLflow, without ours"),
        pytest.param(OLD, "0001", (67, "0001"), id="ours, behind all of MLflow's"),
        pytest.param(judged(NOTHING, None), None, (4, "0003"), id="a build"),
        pytest.param(judged(NOTHING, None), HEAD, (1, HEAD), id="a build without ours"),
    ],
)
def test_the_steps_to_a_revision(state: DatabaseState, revision: str | None, ends: tuple[int, str]) -> None:
    steps = steps_to(state, revision)
    assert (len(steps), steps[-1].revision) == ends


def test_no_step_leads_to_where_a_database_is() -> None:
    at_head = judged(MLFLOW, HEAD, OWN_HEAD)
    assert steps_to(at_head, None) == steps_to(at_head, HEAD) == steps_to(at_head, OWN_HEAD) == ()
    assert steps_to(OLD, "451aebb31d03") == ()


@pytest.mark.parametrize(
    ("state", "revision", "said"),
    [
        pytest.param(judged(MLFLOW, HEAD, OWN_HEAD), "acf3f17fdcc7", "lies behind", id="behind"),
        pytest.param(judged(MLFLOW, HEAD, OWN_HEAD), "0001", "lies behind", id="behind, of ours"),
        pytest.param(OLD, "f4a9b2c7d1e6", "no revision that this release knows", id="a later MLflow's"),
        pytest.param(judged(NOTHING, None), "acf3f17fdcc7", "built at", id="an old one of an empty database"),
    ],
)
def test_where_no_upgrade_leads(state: DatabaseState, revision: str, said: str) -> None:
    with pytest.raises(ConfigInvalid, match=said):
        steps_to(state, revision)


def test_each_revision_that_copies_is_one_of_mlflow() -> None:
    assert {revision for copies in COPIES.values() for revision in copies} <= set(releases())
