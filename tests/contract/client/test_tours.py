"""Tours through all that the client does, with each version of it: what comes back is as from MLflow's own server.

MLflow's server is that of the main client, 3.17: the older and the newer client meet a server of another version.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.client import last_line, mlflow_server, run_script
from tests.support.client_methods import LACKS, every_name, reasons
from tests.support.environments import CLIENTS
from tests.support.parity.answers import assert_same, normalised
from tests.support.server import live_server

pytestmark = pytest.mark.xdist_group("mlflow-server")

SCRIPTS: Final = Path(__file__).with_name("scripts")
TOURS: Final = ("tour.py", "registry_tour.py")
VERSIONS: Final = {"3.17": "3.17.", "2.22": "2.22.", "newest": "3.18."}


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """What each tour printed."""

    client: str
    ours: Mapping[str, Any]
    theirs: Mapping[str, Any]

    def of_both_tours(self, word: str) -> frozenset[str]:
        return frozenset(name for told in self.ours.values() for name in told[word])


@pytest.fixture(scope="module", params=CLIENTS)
def visit(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    """Servers of its own for each client: a tour makes what the next one would find."""
    client = str(request.param)
    home, ours, theirs = (tmp_path_factory.mktemp(name) for name in ("home", "trackplane", "mlflow"))
    with live_server(ours, environ={"MLFLOW_WORKERS": "2"}) as server, mlflow_server(theirs) as their_url:

        def told(url: str) -> Mapping[str, Any]:
            return {name: last_line(run_script(SCRIPTS / name, url, home=home, client=client)) for name in TOURS}

        with ThreadPoolExecutor(2) as both:
            from_ours, from_theirs = both.map(told, (server.url, their_url))
    visited = Visit(client=client, ours=from_ours, theirs=from_theirs)
    print(f"client {visited.client}: left out {sorted(visited.of_both_tours('left out'))}")
    return visited


@pytest.mark.parametrize("tour", TOURS)
def test_a_tour_is_equal_on_both_servers(visit: Visit, tour: str) -> None:
    assert_same(normalised(visit.ours[tour]), normalised(visit.theirs[tour]))


def test_the_client_is_of_the_version_that_it_says(visit: Visit) -> None:
    for told in visit.ours.values():
        assert told["version"].startswith(VERSIONS[visit.client])


def test_what_a_tour_leaves_out_is_on_the_list(visit: Visit) -> None:
    assert visit.of_both_tours("left out") == LACKS[visit.client]


def test_every_public_method_is_called_or_has_a_reason(visit: Visit) -> None:
    assert visit.of_both_tours("methods") - visit.of_both_tours("called") - reasons(visit.client).keys() == frozenset()


def test_no_method_with_a_reason_is_called(visit: Visit) -> None:
    assert visit.of_both_tours("called") & reasons(visit.client).keys() == frozenset()


def test_each_name_with_a_reason_is_a_method_of_some_client(every_method: frozenset[str]) -> None:
    assert every_name() - every_method == frozenset()


@pytest.fixture(scope="module")
def every_method(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    home = tmp_path_factory.mktemp("home")
    script = home / "methods.py"
    script.write_text("import json, mlflow\nprint(json.dumps(dir(mlflow.MlflowClient)))\n")
    return frozenset(name for client in CLIENTS for name in last_line(run_script(script, home=home, client=client)))
