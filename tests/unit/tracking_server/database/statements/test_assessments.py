"""The run that an assessment names is found in its metadata by text, on every engine."""

import pytest

from tests.support.dialects import DIALECTS, compiled
from tracking_server.database.statements.assessments import delete_from_runs_of_experiment

FINDS = {"sqlite": "instr(", "postgresql": "strpos(", "mysql": "instr(", "mssql": "charindex("}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_assessments_of_an_experiment_go_in_one_statement(dialect: str) -> None:
    statement, parameters = delete_from_runs_of_experiment(7, dialect)
    text = compiled(statement, dialect)
    assert text.startswith("DELETE FROM assessments WHERE ")
    assert FINDS[dialect] in text
    assert parameters == {"pattern": '%"mlflow.assessment.sourceRunId": "%', "of_experiment": 7}
