"""Programs that tests run and that no Python package brings: in the cache folder, or the test is left out."""

from pathlib import Path

from tests.support.environments import cache_folder
from tests.support.left_out import leave_out


def binary(name: str) -> Path:
    path = cache_folder() / "bin" / name
    if not path.exists():
        leave_out(f"{name} (tests/cluster/host/prepare makes it)")
    return path
