"""The unmodified mlflow client against our server, and against MLflow's own: what it reads back is the same."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import last_line, run_script
from tests.support.environments import ROOT
from tests.support.parity.answers import assert_same, normalised

EXAMPLE = ROOT / "examples" / "train_model.py"
SCRIPTS = Path(__file__).with_name("scripts")


def run_example(url: str, home: Path) -> str:
    result = last_line(run_script(EXAMPLE, "--tracking-uri", url, "--check", "--json", home=home))
    assert result["checked"] is True
    return str(result["run_id"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Both:
    """The same on both servers: an id or an address of each."""

    ours: str
    theirs: str


@pytest.fixture(scope="module")
def runs(ours: str, theirs: str, tmp_path_factory: pytest.TempPathFactory) -> Both:
    home = tmp_path_factory.mktemp("home")
    return Both(ours=run_example(ours, home), theirs=run_example(theirs, home))


def test_the_example_takes_back_what_it_logged(runs: Both) -> None:
    assert len(runs.ours) == len(runs.theirs) == 32


def test_the_check_of_the_example_can_fail(ours: str, runs: Both, tmp_path: Path) -> None:
    script = tmp_path / "wrong.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(EXAMPLE.parent)!r})\n"
        "import mlflow, train_model as example\n"
        f"mlflow.set_tracking_uri({ours!r})\n"
        f"example.check({runs.ours!r}, example.make_data(200, 10.0), noise=11.0)\n"
    )
    with pytest.raises(AssertionError, match=r"params of get_run: found .*'10\.0'.*, expected .*'11\.0'"):
        run_script(script, home=tmp_path)


def test_the_example_reads_back_equal_from_both_servers(ours: str, theirs: str, runs: Both, tmp_path: Path) -> None:
    def read_back(url: str, run_id: str) -> Any:
        return normalised(last_line(run_script(SCRIPTS / "read_back.py", url, run_id, home=tmp_path)))

    assert_same(read_back(ours, runs.ours), read_back(theirs, runs.theirs))
