"""How what was noted is written out, and as what script it is printed."""

from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, delete, insert, text, update
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.elements import ClauseElement

from tests.support.dialects import DIALECTS
from tracking_server.database.check import Step
from tracking_server.database.migrations.dry_run import Statement, StepSql, for_print, rendered, script
from tracking_server.database.migrations.mlflow import releases
from tracking_server.database.migrations.mlflow.examples import EXAMPLES, MARK

THINGS = Table("things", MetaData(), Column("id", Integer, primary_key=True), Column("name", String(20)))
BY_ID = update(THINGS).where(THINGS.c.id == bindparam("at_id")).values(name=bindparam("name"))


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "mysql"])
@pytest.mark.parametrize(
    ("element", "rows", "expected"),
    [
        pytest.param(text("SET x = '5%'"), [], "SET x = '5%'", id="a percent sign"),
        pytest.param(insert(THINGS).values(id=1, name="it's"), [], "VALUES (1, 'it''s')", id="values"),
        pytest.param(insert(THINGS), [{"id": 1, "name": "a"}], "VALUES (1, 'a')", id="values beside"),
        pytest.param(delete(THINGS).where(THINGS.c.id.in_([1, 2])), [], "IN (1, 2)", id="a list"),
    ],
)
def test_values_are_written_out(
    dialect: str, element: ClauseElement, rows: list[dict[str, Any]], expected: str
) -> None:
    statement = rendered(element, rows, for_print(DIALECTS[dialect]))
    assert statement.text.endswith(expected)
    assert statement.times == "once"


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "mysql"])
@pytest.mark.parametrize(
    ("element", "rows"),
    [
        pytest.param(BY_ID, [{"at_id": 1, "name": MARK}], id="of one row"),
        pytest.param(BY_ID, [{"at_id": 1, "name": MARK}, {"at_id": 2, "name": "a"}], id="of several"),
        pytest.param(update(THINGS).where(THINGS.c.id == 1).values(name=f"{MARK}-2"), [], id="in the statement"),
    ],
)
def test_values_of_an_example_are_named(dialect: str, element: ClauseElement, rows: list[dict[str, Any]]) -> None:
    statement = rendered(element, rows, for_print(DIALECTS[dialect]))
    assert statement.text.startswith("UPDATE things SET name=:name WHERE things.id = :")
    assert statement.times == "for rows"


def test_a_table_is_written_without_trailing_blanks() -> None:
    statement = rendered(CreateTable(THINGS), [], for_print(DIALECTS["sqlite"]))
    assert (
        statement.text
        == "CREATE TABLE things (\n    id INTEGER NOT NULL,\n    name VARCHAR(20),\n    PRIMARY KEY (id)\n)"
    )


STEP = Step(lineage="trackplane", revision="9", title="What it does", is_additive=True)
TRIGGER = "CREATE TRIGGER t BEGIN SET x = 1; END"


@pytest.mark.parametrize(
    ("dialect", "statement", "expected"),
    [
        ("postgresql", Statement(text="DROP TABLE a"), ["DROP TABLE a;"]),
        ("postgresql", Statement(text="UPDATE a\nSET b = :b", times="for rows"), ["-- UPDATE a", "-- SET b = :b;"]),
        (
            "mysql",
            Statement(text="DELETE FROM a LIMIT 5", times="until nothing is left"),
            ["-- again and again, until it changes no row:", "DELETE FROM a LIMIT 5;"],
        ),
        ("mysql", Statement(text=TRIGGER), ["DELIMITER //", f"{TRIGGER}//", "DELIMITER ;"]),
        ("postgresql", Statement(text=TRIGGER), [f"{TRIGGER};"]),
    ],
)
def test_a_client_can_read_each_line(dialect: str, statement: Statement, expected: list[str]) -> None:
    lines = list(script(dialect, [StepSql(step=STEP, statements=(statement,))], ["A note."]))
    assert lines[:3] == ["-- A note.", "", "-- trackplane 9: What it does"]
    assert lines[-len(expected) :] == expected


def test_a_file_of_sqlite_is_changed_without_foreign_keys() -> None:
    lines = list(script("sqlite", [StepSql(step=STEP, statements=(Statement(text="DROP TABLE a"),))]))
    assert (lines[1], lines[-1]) == ("PRAGMA foreign_keys = OFF;", "PRAGMA foreign_keys = ON;")


def test_examples_are_of_revisions_that_there_are() -> None:
    assert set(EXAMPLES) <= set(releases())
