"""The searches of the registry compile for every engine, as one statement a page."""

import pytest

from tests.support.dialects import DIALECTS, compiled
from tracking_server.database.statements.model_version_search import select_model_version_page
from tracking_server.database.statements.registered_model_search import select_registered_model_page
from tracking_server.database.statements.registered_models import DELETE_WHOLE
from tracking_server.entities.model_versions import SearchModelVersions
from tracking_server.entities.registered_models import SearchRegisteredModels


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_page_is_one_statement_of_every_engine(dialect: str) -> None:
    text = "name ILIKE 'a' AND tags.x = 'y' OR NOT name IN ('b', 'c')"
    models = SearchRegisteredModels(filter=text, order_by=("timestamp DESC",))
    versions = SearchModelVersions(filter=f"{text} AND version_number > 3", order_by=("creation_timestamp",))
    for query in (select_registered_model_page(models, dialect), select_model_version_page(versions, dialect)):
        assert compiled(query.statement, dialect).startswith("SELECT")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_model_goes_after_what_hangs_on_it(dialect: str) -> None:
    tables = [compiled(statement, dialect).split()[2] for statement in DELETE_WHOLE]
    assert tables == [
        "model_version_tags",
        "model_versions",
        "registered_model_aliases",
        "registered_model_tags",
        "registered_models",
    ]
