"""What `make transfer` and `make cut` show for large files, on every store with small ones."""

from collections.abc import Iterator

import pytest

from tests.support.artifact_stores import GROUP, REMOTE
from tests.support.cut import cut_uploads
from tests.support.store_servers import StoreServer, store_server
from tests.support.transfer import DISK_LIMIT_BYTES, GROWTH_LIMIT_BYTES, MIB, bytes_of, transfer


@pytest.fixture(scope="module", params=["local", *(pytest.param(name, marks=GROUP) for name in REMOTE)])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreServer]:
    name: str = request.param
    if name != "local":
        request.getfixturevalue(f"{name}_bucket")  # credentials are those of the session
    emulator = None if name == "local" else request.getfixturevalue(name)
    with store_server(name, tmp_path_factory.mktemp(f"transfer-{name}"), emulator) as running:
        yield running


def test_uploads_that_are_cut_leave_nothing(running: StoreServer) -> None:
    found = cut_uploads(running, 4)
    assert (found.cut, found.refused, found.objects, found.parts) == (4, 0, [], [])
    assert found.had_parts is running.tells_of_parts


def test_a_file_of_many_parts_takes_little_memory_and_no_disk(running: StoreServer) -> None:
    found = transfer(running, 64 * MIB)
    assert found.is_whole
    assert found.growth_bytes < GROWTH_LIMIT_BYTES
    assert found.disk_bytes < DISK_LIMIT_BYTES


def test_sizes_as_people_write_them() -> None:
    assert [bytes_of(text) for text in ("5G", "512m", "2K", "300")] == [5 * 1024**3, 512 * MIB, 2048, 300]
