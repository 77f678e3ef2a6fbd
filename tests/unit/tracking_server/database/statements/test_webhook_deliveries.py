import pytest
from sqlalchemy import Executable

from tests.support.dialects import DIALECTS, compiled
from tracking_server.database.statements import webhook_deliveries as statements
from tracking_server.database.statements.webhooks import select_events, select_webhook_page
from tracking_server.entities.webhooks import ListWebhooks


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "statement",
    [
        statements.select_listeners_to(("prompt", "created")),
        statements.select_listeners(("model_version_tag", "set"), ("prompt_version_tag", "set"), "m"),
        statements.select_listeners(None, ("prompt_tag", "set"), "m"),
        statements.SELECT_HEADS,
        statements.claim([1, 2]),
        statements.select_claimed([1, 2], "lease"),
        *statements.tidying(),
        select_events(["w"]),
    ],
)
def test_every_engine_compiles_every_statement(dialect: str, statement: Executable) -> None:
    assert compiled(statement, dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_page_of_webhooks_compiles_for_every_engine(dialect: str) -> None:
    assert compiled(select_webhook_page(ListWebhooks(), 10, dialect).statement, dialect)
