"""SQL Server, which nothing here runs on: what is compiled for it, and that nothing else is tried.

The tables are compared with those of MLflow's own models, compiled by the same SQLAlchemy: not with a database.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
import pytest
from sqlalchemy.schema import CreateTable

from tests.support.dialects import DIALECTS, compiled
from tests.support.searches import EXPERIMENTS, MODELS, REGISTERED, RUNS, VERSIONS, Noun, searches_of
from tests.support.statements import BULK_INSERTS, ONLY, STATEMENTS
from tracking_server.database import schema
from tracking_server.database.archive.head_schema import head_schema
from tracking_server.database.lock import migration_lock
from tracking_server.database.statements.experiment_search import select_experiment_page
from tracking_server.database.statements.logged_model_search import select_logged_model_page
from tracking_server.database.statements.model_version_search import select_model_version_page
from tracking_server.database.statements.paging import PageQuery
from tracking_server.database.statements.registered_model_search import select_registered_model_page
from tracking_server.database.statements.run_search import select_run_page
from tracking_server.database.transactions import Database, DatabaseOptions
from tracking_server.database.urls import parse_database_url
from tracking_server.entities.experiments import SearchExperiments
from tracking_server.entities.logged_models import SearchLoggedModels
from tracking_server.entities.model_versions import SearchModelVersions
from tracking_server.entities.registered_models import SearchRegisteredModels
from tracking_server.entities.runs import SearchRuns
from tracking_server.errors import ConfigInvalid, InvalidParameter

SQL_SERVER: Final = "mssql"
MODELS_OF_MLFLOW: Final = Path(__file__).parents[2] / "data" / "schema" / "models_mssql.sql"
FOREIGN: Final = re.compile(
    r"\b(LIMIT|ON CONFLICT|ON DUPLICATE|RETURNING|ILIKE|NULLS (FIRST|LAST)|IS (NOT )?DISTINCT)\b"
    r"|\bFOR ([A-Z ]+ )?(UPDATE|SHARE)\b"
    r"|\b(true|false|unnest|json_each|substr|instr|IF)\b|\bIS (NOT )?[01]\b|\|\||::|\([^()]*,[^()]*\) [<>] \("
    r"|^SELECT (?:(?! FROM ).)*\bEXISTS\b",  # no truth value can be selected
)
"""Words of other engines."""
WITHOUT_OUR_TABLES: Final = ("collect.", "jobs.", "ownership.", "webhook_deliveries.")
"""Statements of what is refused there: garbage collection and webhooks."""

DIFFERENT_IN_THE_MIGRATIONS: Final = {
    # on every engine the migrations make these narrower than the models say
    "assessments": {"assessment_type VARCHAR(20) NOT NULL": "assessment_type VARCHAR(50) NOT NULL"},
    "runs": {"status VARCHAR(9) NULL": "status VARCHAR(20) NULL"},
}


def columns(body: str) -> list[str]:
    """Name, type and whether NULL is one of the values. From SQL Server 2012 on, the names of the longest texts mean
    the same."""
    words = (
        " ".join(line.strip().removesuffix(",").replace("[", "").replace("]", "").split()) for line in body.splitlines()
    )
    lines = (
        re.sub(r" DEFAULT .*", "", word).replace("NTEXT", "NVARCHAR(max)")
        for word in words
        if word and not word.startswith(("CONSTRAINT", "PRIMARY KEY", "FOREIGN KEY", "UNIQUE", "CHECK"))
    )
    return sorted(lines)


def test_the_columns_are_those_of_mlflows_models(subtests: pytest.Subtests) -> None:
    facts = {
        match[1]: columns(match[2])
        for match in re.finditer(r"CREATE TABLE \[?(\w+)\]? \(\n(.*?)\n\);", MODELS_OF_MLFLOW.read_text(), re.DOTALL)
    }
    assert facts.keys() == schema.metadata.tables.keys()
    for name, table in schema.metadata.tables.items():
        with subtests.test(name):
            made = str(CreateTable(table).compile(dialect=DIALECTS[SQL_SERVER]))
            body = "\n".join(made.strip().splitlines()[1:-1])
            different = DIFFERENT_IN_THE_MIGRATIONS.get(name, {})
            assert sorted(different.get(line, line) for line in columns(body)) == facts[name]


def test_all_tables_and_indexes_compile_ours_too() -> None:
    """Tables of the head, and what our own revisions make."""
    native = head_schema(DIALECTS[SQL_SERVER])
    assert len(native.before_rows) == len(schema.metadata.tables) + 4
    assert sum("trackplane_" in each and "CREATE INDEX" in each for each in native.after_rows) == 8
    assert [each for each in (*native.before_rows, *native.after_rows) if re.search(r"\bSERIAL\b|`|\|\|", each)] == []


@pytest.mark.parametrize("name", [name for name in STATEMENTS if ONLY.get(name, SQL_SERVER) == SQL_SERVER])
def test_a_statement_has_no_words_of_other_engines(name: str) -> None:
    assert FOREIGN.search(compiled(STATEMENTS[name], SQL_SERVER)) is None


@pytest.mark.parametrize("name", BULK_INSERTS)
def test_rows_are_merged(name: str) -> None:
    text = compiled(BULK_INSERTS[name].statement(SQL_SERVER), SQL_SERVER)
    assert text.startswith("MERGE INTO ")
    assert text.endswith(";")
    assert FOREIGN.search(text) is None


def pages(noun: Noun) -> Iterator[PageQuery]:
    for fields in searches_of(noun):
        request = {**noun.asked, **fields}
        try:
            yield PAGES[noun.name](request)
        except (InvalidParameter, msgspec.ValidationError):
            continue


PAGES: Final[Mapping[str, Callable[[Mapping[str, object]], PageQuery]]] = {
    RUNS.name: lambda asked: select_run_page(msgspec.convert(asked, SearchRuns), [1, 2], SQL_SERVER),
    EXPERIMENTS.name: lambda asked: select_experiment_page(msgspec.convert(asked, SearchExperiments), SQL_SERVER),
    MODELS.name: lambda asked: select_logged_model_page(msgspec.convert(asked, SearchLoggedModels), [1, 2], SQL_SERVER),
    REGISTERED.name: lambda asked: select_registered_model_page(
        msgspec.convert(asked, SearchRegisteredModels), SQL_SERVER
    ),
    VERSIONS.name: lambda asked: select_model_version_page(msgspec.convert(asked, SearchModelVersions), SQL_SERVER),
}


@pytest.mark.parametrize("noun", [RUNS, EXPERIMENTS, MODELS, REGISTERED, VERSIONS], ids=lambda noun: noun.name)
def test_a_search_has_no_words_of_other_engines(noun: Noun) -> None:
    texts = [compiled(page.statement, SQL_SERVER) for page in pages(noun)]
    assert len(texts) > 20
    assert [text for text in texts if FOREIGN.search(text)] == []


LOCKING: Final = [
    name
    for name, statement in STATEMENTS.items()
    if not name.startswith(WITHOUT_OUR_TABLES)
    and ONLY.get(name, "postgresql") == "postgresql"
    and re.search(r" FOR ([A-Z ]+ )?(UPDATE|SHARE)\b", compiled(statement, "postgresql"))
]


def test_rows_are_locked_there_too() -> None:
    """SQLAlchemy leaves FOR UPDATE out in silence."""
    assert set(LOCKING) == {"registered_models.LOCK", "model_versions.LOCK_RUNS", "model_versions.LOCK_LOGGED_MODELS"}
    for name in LOCKING:
        assert "WITH (UPDLOCK)" in compiled(STATEMENTS[name], SQL_SERVER), name


def test_no_table_is_changed_there() -> None:
    """It is refused before anything is connected to."""
    database = Database(parse_database_url("mssql://me@nowhere/d?driver=x"), DatabaseOptions())
    with pytest.raises(ConfigInvalid, match="`mlflow db upgrade`"), migration_lock(database, wait_seconds=0):
        pytest.fail("a lock was had")
