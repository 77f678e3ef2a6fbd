"""The unmodified mlflow client against our server, and against MLflow's own: what it reads back is the same."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.client import last_line, run_script
from tests.support.environments import ROOT
from tests.support.parity import assert_same, normalised

EXAMPLE = ROOT / "examples" / "train_model.py"
SCRIPTS = Path(__file__).with_name("scripts")


def run_example(url: str, home: Path) -> str:
    result = last_line(run_script(EXAMPLE, "--tracking-uri", url, "--check", "--json", home=home))
    assert result["checked"] is True
    return str(result["run_id"])


def test_the_example_takes_back_what_it_logged(ours: str, tmp_path: Path) -> None:
    run_example(ours, tmp_path)


def test_the_example_reads_back_equal_from_both_servers(ours: str, theirs: str, tmp_path: Path) -> None:
    def read_back(url: str) -> Any:
        run_id = run_example(url, tmp_path)
        return normalised(last_line(run_script(SCRIPTS / "read_back.py", url, run_id, home=tmp_path)))

    assert_same(read_back(ours), read_back(theirs))


def test_a_tour_through_the_client_is_equal_on_both_servers(ours: str, theirs: str, tmp_path: Path) -> None:
    def tour(url: str) -> Any:
        return normalised(last_line(run_script(SCRIPTS / "tour.py", url, home=tmp_path)))

    assert_same(tour(ours), tour(theirs))


def test_the_check_of_the_example_can_fail(ours: str, tmp_path: Path) -> None:
    script = tmp_path / "wrong.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(EXAMPLE.parent)!r})\n"
        "import mlflow, train_model as example\n"
        f"mlflow.set_tracking_uri({ours!r})\n"
        "data = example.make_data(50, 1.0)\n"
        "example.check(example.log(data, noise=1.0), data, noise=2.0)\n"
    )
    with pytest.raises(AssertionError, match=r"params of get_run: found .*'1\.0'.*, expected .*'2\.0'"):
        run_script(script, home=tmp_path)
