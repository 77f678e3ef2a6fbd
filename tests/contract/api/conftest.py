"""The API on an empty database of each engine."""

import pytest

from tests.support.api_calls import Api, an_api
from tracking_server.database.transactions import Database


@pytest.fixture
def api(database: Database) -> Api:
    return an_api(database)


@pytest.fixture
def experiment(api: Api) -> str:
    return str(api.post("experiments/create", name="ours")["experiment_id"])


@pytest.fixture
def run(api: Api, experiment: str) -> str:
    return str(api.post("runs/create", experiment_id=experiment, start_time=1)["run"]["info"]["run_id"])
