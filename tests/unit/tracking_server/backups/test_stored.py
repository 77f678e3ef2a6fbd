"""An archive in a store read as a file: the same bytes from any place, in few calls, and never of two contents."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.memory_bucket import MemoryBucket
from tracking_server.artifacts.objects import ObjectStore
from tracking_server.backups.stored import StoredFile, new_object, open_stored
from tracking_server.errors import BackupFailed

CONTENT = bytes(range(256)) * 40


def a_store(bucket: MemoryBucket) -> ObjectStore:
    bucket.files["folder/archive"] = CONTENT
    return ObjectStore(bucket, "folder")


@given(
    steps=st.lists(st.tuples(st.integers(0, len(CONTENT) + 5), st.integers(0, 700)), max_size=8),
    cuts_after=st.none() | st.integers(1, 3000),
    buffer_bytes=st.sampled_from([1, 64, 5000]),
)
def test_it_is_read_as_a_file_is(steps: list[tuple[int, int]], cuts_after: int | None, buffer_bytes: int) -> None:
    store = a_store(MemoryBucket(cuts_after=cuts_after))
    with open_stored(store, "archive", "memory://archive", buffer_bytes) as file:
        assert file.seek(0, io.SEEK_END) == len(CONTENT)
        for place, count in steps:
            file.seek(place)
            assert file.read(count) == CONTENT[place : place + count]


def test_one_go_is_one_answer_of_the_store() -> None:
    bucket = MemoryBucket()
    with StoredFile(a_store(bucket), "archive", "memory://archive") as file:
        assert b"".join(iter(lambda: file.read(100) or b"", b"")) == CONTENT
    assert bucket.calls == ["head", "read", "read"]  # the first one asked for no more than it needed


def test_what_is_replaced_meanwhile_is_refused() -> None:
    bucket = MemoryBucket()
    with open_stored(a_store(bucket), "archive", "memory://archive", 64) as file:
        file.read(10)
        bucket.files["folder/archive"] = CONTENT[::-1]
        file.seek(5000)
        with pytest.raises(OSError, match="replaced"):
            file.read(10)


def test_what_is_not_there_is_told_as_of_a_file() -> None:
    with pytest.raises(FileNotFoundError, match="memory://absent"):
        open_stored(a_store(MemoryBucket()), "absent", "memory://absent")


def test_an_upload_that_fails_leaves_nothing() -> None:
    bucket = MemoryBucket()
    store = ObjectStore(bucket, "folder")

    def fail() -> None:
        with new_object(store, "archive", "memory://archive") as sink:
            sink.write(CONTENT)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert bucket.files == {}
    assert [upload.is_aborted for upload in bucket.uploads] == [True]


def test_an_archive_is_never_overwritten() -> None:
    bucket = MemoryBucket()
    with (
        pytest.raises(BackupFailed, match=r"memory://archive exists already"),
        new_object(a_store(bucket), "archive", "memory://archive"),
    ):
        pass
    assert bucket.files == {"folder/archive": CONTENT}
    with new_object(a_store(bucket), "another", "memory://another") as sink:
        sink.write(b"content")
    assert bucket.files["folder/another"] == b"content"
