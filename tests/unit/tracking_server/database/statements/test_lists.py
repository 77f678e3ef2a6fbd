"""A list in the parameters of a statement leaves its text as it is, where the engine has a way to do it."""

import pytest
from sqlalchemy import func, select

from tests.support.dialects import compiled
from tracking_server.database.schema import runs
from tracking_server.database.statements.lists import one_of


@pytest.mark.parametrize(
    ("dialect", "condition"),
    [
        ("sqlite", "runs.run_uuid IN (SELECT anon_1.value FROM json_each(?) AS anon_1)"),
        ("postgresql", "runs.run_uuid = ANY (%(ids)s::TEXT[])"),
        ("mysql", "runs.run_uuid IN (__[POSTCOMPILE_ids])"),
        ("mssql", "runs.run_uuid IN (SELECT anon_1.value FROM openjson(:ids) AS anon_1)"),
    ],
)
def test_the_list_is_one_parameter(dialect: str, condition: str) -> None:
    statement = select(func.count()).where(one_of(runs.c.run_uuid, "ids"))
    assert compiled(statement, dialect).endswith(f" WHERE {condition}")


def test_numbers_are_a_list_of_numbers() -> None:
    statement = select(func.count()).where(one_of(runs.c.experiment_id, "ids"))
    assert compiled(statement, "postgresql").endswith(" WHERE runs.experiment_id = ANY (%(ids)s::INTEGER[])")
