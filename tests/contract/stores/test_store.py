"""What every artifact store promises, asked of each of them."""

import threading
from pathlib import Path

import pytest
from msgspec import structs

from tests.support.artifact_stores import content_of, names_of, put
from tracking_server.artifacts.checked import CheckedStore
from tracking_server.artifacts.memory import MemoryStore
from tracking_server.artifacts.paths import InvalidPath
from tracking_server.artifacts.store import (
    ArtifactNotFound,
    ArtifactStore,
    ByteRange,
    Entry,
    FinalBytes,
    Listing,
    RangeNotSatisfiable,
    Wanted,
    WrongKind,
)


def test_a_file_comes_back_as_it_was_put(store: ArtifactStore) -> None:
    with store.create("1/run/artifacts/model.bin") as writer:
        writer.write(b"first ")
        writer.write(b"")
        writer.write(b"second")
        stat = writer.commit()
    assert content_of(store, "1/run/artifacts/model.bin") == b"first second"
    found = store.stat("1/run/artifacts/model.bin")
    assert (stat.size_bytes, found.size_bytes, found.etag) == (12, 12, stat.etag)
    assert abs(found.modified_seconds - stat.modified_seconds) <= 2


def without_times(listing: Listing) -> list[Entry]:
    return [structs.replace(entry, modified_seconds=None) for entry in listing.entries]


def test_an_empty_file_is_a_file(store: ArtifactStore) -> None:
    put(store, "empty", b"")
    assert content_of(store, "empty") == b""
    assert without_times(store.list("")) == [Entry(name="empty", is_folder=False)]


@pytest.mark.parametrize("name", ["with space", "größe 测试 🎉.txt", "100%.csv", "a:b", "~", "-rf", "..."])
def test_names_are_kept(store: ArtifactStore, name: str) -> None:
    put(store, f"folder {name}/{name}", b"1")
    assert names_of(store, "") == [f"folder {name}"]
    assert names_of(store, f"folder {name}") == [name]
    assert content_of(store, f"folder {name}/{name}") == b"1"


def test_a_file_replaces_an_older_one_and_changes_its_etag(store: ArtifactStore) -> None:
    put(store, "a/file", b"old")
    old = store.stat("a/file")
    put(store, "a/file", b"new")
    assert content_of(store, "a/file") == b"new"
    assert store.stat("a/file").etag != old.etag


def test_an_open_file_does_not_see_its_replacement(store: ArtifactStore) -> None:
    put(store, "file", b"old content")
    with store.open("file") as reader:
        start = reader.read(4)
        put(store, "file", b"NEW")
        assert start + reader.read(100) == b"old content"


def test_nothing_is_seen_before_the_commit_and_nothing_stays_after_an_abort(
    store: ArtifactStore, tmp_path: Path
) -> None:
    writer = store.create("folder/file")
    writer.write(b"half")
    assert names_of(store, "folder") == []
    with pytest.raises(ArtifactNotFound):
        store.stat("folder/file")
    writer.abort()
    writer.abort()
    assert names_of(store, "folder") == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_leaving_the_block_without_a_commit_aborts(store: ArtifactStore, tmp_path: Path) -> None:
    put(store, "file", b"before")
    with store.create("file") as writer:
        writer.write(b"half")
    assert content_of(store, "file") == b"before"
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) <= 1


def test_an_abort_after_the_commit_does_nothing(store: ArtifactStore) -> None:
    with store.create("file") as writer:
        writer.write(b"1")
        writer.commit()
        writer.abort()
    assert content_of(store, "file") == b"1"


@pytest.mark.parametrize(
    ("wanted", "content", "start", "stop"),
    [
        pytest.param(None, b"0123456789", 0, 10, id="all"),
        pytest.param(ByteRange(first=0, last=0), b"0", 0, 1, id="first-byte"),
        pytest.param(ByteRange(first=3, last=5), b"345", 3, 6, id="middle"),
        pytest.param(ByteRange(first=8), b"89", 8, 10, id="to-the-end"),
        pytest.param(ByteRange(first=8, last=99), b"89", 8, 10, id="past-the-end"),
        pytest.param(FinalBytes(count=3), b"789", 7, 10, id="final"),
        pytest.param(FinalBytes(count=99), b"0123456789", 0, 10, id="more-than-all"),
    ],
)
def test_a_range_of_a_file(store: ArtifactStore, wanted: Wanted, content: bytes, start: int, stop: int) -> None:
    put(store, "file", b"0123456789")
    assert content_of(store, "file", wanted) == content
    with store.open("file", wanted) as reader:
        assert (reader.start, reader.stop, reader.stat.size_bytes) == (start, stop, 10)


@pytest.mark.parametrize("wanted", [ByteRange(first=10), ByteRange(first=10, last=12), FinalBytes(count=0)])
def test_a_range_without_a_single_byte_is_refused(store: ArtifactStore, wanted: Wanted) -> None:
    put(store, "file", b"0123456789")
    with pytest.raises(RangeNotSatisfiable) as caught:
        store.open("file", wanted)
    assert caught.value.size_bytes == 10


def test_reading_a_closed_file_gives_nothing(store: ArtifactStore) -> None:
    put(store, "file", b"content")
    reader = store.open("file")
    reader.close()
    reader.close()
    assert reader.read(10) == b""


def test_a_listing_is_one_level_sorted_by_name(store: ArtifactStore) -> None:
    for key in ("run/b.txt", "run/a/deep/file", "run/a/other", "run/c", "run2/x", "top"):
        put(store, key, b"12")
    assert without_times(store.list("run")) == [
        Entry(name="a", is_folder=True),
        Entry(name="b.txt", is_folder=False, size_bytes=2),
        Entry(name="c", is_folder=False, size_bytes=2),
    ]
    assert names_of(store, "") == ["run", "run2", "top"]


def test_a_listing_tells_the_time_of_a_file_as_stat_does_or_not_at_all(store: ArtifactStore) -> None:
    put(store, "run/file", b"1")
    (entry,) = store.list("run").entries
    modified_seconds = store.stat("run/file").modified_seconds
    assert entry.modified_seconds is None or abs(entry.modified_seconds - modified_seconds) <= 2


def test_a_listing_goes_on_behind_a_name(store: ArtifactStore) -> None:
    for number in range(5):
        put(store, f"run/{number}", b"")
    pages: list[list[str]] = []
    after: str | None = ""
    while after is not None:
        page = store.list("run", after=after, limit=2)
        pages.append([entry.name for entry in page.entries])
        after = page.next_after
    assert pages == [["0", "1"], ["2", "3"], ["4"]]


def test_a_file_and_a_missing_folder_list_as_empty(store: ArtifactStore) -> None:
    assert store.list("").entries == ()
    put(store, "run/file", b"")
    assert store.list("run/file").entries == ()
    assert store.list("run/file/below").entries == ()
    assert store.list("none").entries == ()


@pytest.mark.parametrize("key", ["none", "run/none", "run/file/below", "none/none"])
def test_a_missing_file_is_not_found(store: ArtifactStore, key: str) -> None:
    put(store, "run/file", b"1")
    with pytest.raises(ArtifactNotFound):
        store.open(key)
    with pytest.raises(ArtifactNotFound):
        store.stat(key)
    store.delete(key)
    assert store.delete_prefix(key).files == 0


@pytest.mark.parametrize("key", ["run", "run/inner"])
def test_a_folder_is_not_a_file(store: ArtifactStore, key: str) -> None:
    put(store, "run/inner/file", b"1")
    with pytest.raises(WrongKind):
        store.open(key)
    with pytest.raises(WrongKind):
        store.stat(key)
    with pytest.raises(WrongKind):
        store.delete(key)
    assert content_of(store, "run/inner/file") == b"1"


@pytest.mark.parametrize("key", ["run", "run/inner", "run/inner/file/below/it"])
def test_what_has_the_name_of_a_folder_or_lies_below_a_file_harms_neither(store: ArtifactStore, key: str) -> None:
    """A file system refuses it; a bucket may hold both."""
    put(store, "run/inner/file", b"1")
    try:
        put(store, key, b"2")
    except WrongKind:
        with pytest.raises((WrongKind, ArtifactNotFound)):
            store.stat(key)
    else:
        assert content_of(store, key) == b"2"
    assert content_of(store, "run/inner/file") == b"1"


def test_delete_takes_one_file(store: ArtifactStore) -> None:
    put(store, "run/a", b"")
    put(store, "run/b", b"")
    store.delete("run/a")
    store.delete("run/a")
    assert names_of(store, "run") == ["b"]


def test_delete_prefix_takes_a_folder_and_not_its_neighbours(store: ArtifactStore) -> None:
    for key in ("1/run/a", "1/run/deep/er/b", "1/run2/c", "1/runner", "2/run/d"):
        put(store, key, b"123")
    deleted = store.delete_prefix("1/run")
    assert (deleted.files, deleted.size_bytes, tuple(deleted.leftovers)) == (2, 6, ())
    assert names_of(store, "1") == ["run2", "runner"]
    assert content_of(store, "2/run/d") == b"123"
    assert store.delete_prefix("1/run").files == 0


def test_delete_prefix_takes_a_file_and_the_whole_store(store: ArtifactStore) -> None:
    put(store, "run/a", b"12")
    put(store, "run/ab", b"3")
    assert store.delete_prefix("run/a").size_bytes == 2
    assert names_of(store, "run") == ["ab"]
    assert store.delete_prefix("").files == 1
    assert names_of(store, "") == []
    put(store, "again", b"")
    assert names_of(store, "") == ["again"]


def test_many_threads_may_write_at_once(store: ArtifactStore) -> None:
    def work(number: int) -> None:
        for round_ in range(5):
            put(store, f"shared/{number % 3}/{number}", bytes([number]) * (round_ + 1))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(names_of(store, f"shared/{folder}")) for folder in range(3)] == [4, 4, 4]
    assert content_of(store, "shared/2/11") == bytes([11]) * 5


@pytest.mark.parametrize("key", ["", "../x", "a//b", "/etc/passwd", "a\\b", "a/", "a/%2e%2e/b"])
def test_the_checked_store_lets_only_keys_through(key: str) -> None:
    inner = MemoryStore()
    store = CheckedStore(inner)
    for call in (store.open, store.create, store.stat, store.delete):
        with pytest.raises(InvalidPath):
            call(key)
    if key:
        with pytest.raises(InvalidPath):
            store.list(key)
        with pytest.raises(InvalidPath):
            store.delete_prefix(key)
