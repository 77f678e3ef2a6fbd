"""The folder called `operator` must never become a package: that would break `import operator` for Python itself."""

import operator
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_standard_library_keeps_its_operator_module() -> None:
    assert Path(operator.__file__ or "").is_relative_to(sysconfig.get_paths()["stdlib"])


def test_the_source_roots_hold_exactly_one_package_and_nothing_loose() -> None:
    for root, package in (("operator", "tracking_operator"), ("tracking", "tracking_server")):
        entries = {entry.name for entry in (ROOT / root).iterdir() if entry.name != "__pycache__"}
        assert entries == {package}


def test_no_test_folder_is_called_operator() -> None:
    assert not [path for path in (ROOT / "tests").rglob("operator") if path.is_dir()]
