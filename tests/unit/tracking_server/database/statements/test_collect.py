"""Statements of garbage collection: every engine compiles them, and no table of an experiment is forgotten."""

from collections.abc import Sequence

import pytest
from sqlalchemy import ClauseElement
from sqlalchemy.engine import make_url

from tracking_server.database import schema
from tracking_server.database.statements import collect
from tracking_server.database.statements.collect import EXPERIMENT, LOGGED_MODEL, RUN

DIALECTS = {
    "sqlite": "sqlite://",
    "postgresql": "postgresql+psycopg://",
    "mysql": "mysql+pymysql://",
    "mssql": "mssql+pyodbc://",
}

IDS = ["a", "b"]

STATEMENTS: Sequence[ClauseElement] = [
    collect.adopt_claims("c"),
    *(collect.claim_deleted(kind, "c", 5, 4) for kind in (RUN, LOGGED_MODEL, EXPERIMENT)),
    *(collect.claim_these(kind, "c", 5, IDS) for kind in (RUN, LOGGED_MODEL, EXPERIMENT)),
    *(collect.claim_of_experiments(kind, "c", 5, [1, 2]) for kind in (RUN, LOGGED_MODEL)),
    collect.select_claims(RUN, "", 10),
    collect.select_claimed(RUN, IDS),
    collect.restore_unclaimed_runs(1),
    collect.select_claimed_active_runs(1),
    collect.RELEASE,
    collect.release_active_models(1),
    collect.count_claims(RUN),
    *(collect.select_stages(kind, IDS) for kind in (RUN, LOGGED_MODEL, EXPERIMENT)),
    *(collect.select_experiments_with_more(kind, [1]) for kind in (RUN, LOGGED_MODEL)),
    *(collect.select_experiments_with_any(kind, [1]) for kind in (RUN, LOGGED_MODEL)),
    collect.SELECT_VERSIONS,
    *(collect.select_locations(kind) for kind in (RUN, LOGGED_MODEL)),
    *(collect.select_again(kind) for kind in (RUN, LOGGED_MODEL)),
    collect.lock_experiment(1),
    collect.select_trace_locations(1, "", 10),
    collect.SELECT_DATASETS_OF_RUNS,
    *collect.DELETE_RUNS,
    *collect.DELETE_LOGGED_MODELS,
    collect.DELETE_ORPHANED,
    *collect.DELETE_TRACES,
    *collect.delete_experiment(1),
]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_engine_compiles_every_statement(dialect: str) -> None:
    engine = make_url(DIALECTS[dialect]).get_dialect()()
    for statement in STATEMENTS:
        assert str(statement.compile(dialect=engine))


def test_no_table_of_an_experiment_is_forgotten() -> None:
    of_experiments = {table.name for table in schema.metadata.sorted_tables if "experiment_id" in table.columns}
    go_by_themselves = {"runs", "logged_models", "trace_info", "experiments"}
    go_with_a_run_a_model_or_a_trace = {"logged_model_metrics", "logged_model_params", "logged_model_tags"}
    go_with_a_run_a_model_or_a_trace |= {"spans", "assessments"}
    assert of_experiments == (
        collect.OF_EXPERIMENTS | collect.KEPT_OF_EXPERIMENTS | go_by_themselves | go_with_a_run_a_model_or_a_trace
    )


def test_rows_are_locked_before_anything_goes() -> None:
    postgresql = make_url(DIALECTS["postgresql"]).get_dialect()()
    assert str(collect.select_locations(RUN).compile(dialect=postgresql)).endswith("FOR UPDATE OF runs")
    locked = str(collect.select_locations(LOGGED_MODEL).compile(dialect=postgresql))
    assert locked.endswith("FOR UPDATE OF logged_models")
    assert str(collect.lock_experiment(1).compile(dialect=postgresql)).endswith("FOR UPDATE")
    sql_server = make_url(DIALECTS["mssql"]).get_dialect()()
    for statement in (
        collect.select_locations(RUN),
        collect.select_locations(LOGGED_MODEL),
        collect.lock_experiment(1),
    ):
        assert "WITH (UPDLOCK)" in str(statement.compile(dialect=sql_server))
