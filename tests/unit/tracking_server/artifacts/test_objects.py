"""An artifact store over a bucket that misbehaves: how often it asks, what it holds, and when it gives up."""

import pytest

from tests.support.artifact_stores import content_of, put
from tests.support.memory_bucket import MemoryBucket
from tracking_server.artifacts.objects import ObjectStore
from tracking_server.artifacts.store import ByteRange, FinalBytes, StoreChanged, StoreUnavailable

TEXT = b"0123456789" * 10


def store_of(bucket: MemoryBucket, prefix: str = "root") -> ObjectStore:
    return ObjectStore(bucket, prefix)


def test_a_small_file_is_one_call_and_a_large_one_is_in_parts_of_one_size() -> None:
    bucket = MemoryBucket(part_bytes=8)
    put(store_of(bucket), "small", b"x" * 8)
    assert bucket.calls == ["put"]
    with store_of(bucket).create("large") as writer:
        for chunk in (b"x", b"yy" * 10, b"z" * 3):
            writer.write(chunk)
        writer.commit()
    (upload,) = bucket.uploads
    assert upload.parts == [8, 8, 8]
    assert bucket.files["root/large"] == b"x" + b"yy" * 10 + b"z" * 3


def test_parts_grow_so_that_there_are_never_too_many() -> None:
    bucket = MemoryBucket(part_bytes=2, part_limit=11)
    content = bytes(1000)
    put(store_of(bucket), "file", content)
    (upload,) = bucket.uploads
    assert len(upload.parts) <= 11
    assert upload.parts[:4] == [2, 4, 8, 16]
    assert bucket.files["root/file"] == content


def test_an_abort_takes_back_what_was_sent_and_nothing_can_follow() -> None:
    bucket = MemoryBucket(part_bytes=2)
    writer = store_of(bucket).create("file")
    writer.write(b"12345")
    writer.abort()
    writer.abort()
    assert bucket.uploads[0].is_aborted
    for call in (lambda: writer.write(b"6"), writer.commit):
        with pytest.raises(StoreUnavailable):
            call()
    assert bucket.files == {}


@pytest.mark.parametrize("breaks", [False, True], ids=["ends", "raises"])
@pytest.mark.parametrize("wanted", [None, ByteRange(first=5, last=77), FinalBytes(count=31)])
def test_a_download_that_is_cut_goes_on_where_it_was(breaks: bool, wanted: ByteRange | FinalBytes | None) -> None:
    bucket = MemoryBucket(cuts_after=13, breaks=breaks, files={"root/file": TEXT})
    expected = {None: TEXT, ByteRange(first=5, last=77): TEXT[5:78], FinalBytes(count=31): TEXT[-31:]}[wanted]
    assert content_of(store_of(bucket), "file", wanted) == expected


def test_a_download_from_which_nothing_comes_is_given_up() -> None:
    bucket = MemoryBucket(cuts_after=0, files={"root/file": TEXT})
    with store_of(bucket).open("file") as reader, pytest.raises(StoreUnavailable):
        reader.read(10)
    assert bucket.calls.count("read") < 10


@pytest.mark.parametrize("later", [b"other content", None], ids=["replaced", "deleted"])
def test_a_download_never_goes_on_with_another_content(later: bytes | None) -> None:
    bucket = MemoryBucket(cuts_after=10, files={"root/file": TEXT})
    with store_of(bucket).open("file") as reader:
        assert reader.read(100) == TEXT[:10]
        bucket.files = {} if later is None else {"root/file": later}
        with pytest.raises(StoreChanged):
            reader.read(100)


@pytest.mark.parametrize("wanted", [None, ByteRange(first=5), ByteRange(first=0, last=40), FinalBytes(count=31)])
def test_what_one_call_reads_may_be_limited(wanted: ByteRange | FinalBytes | None) -> None:
    plain = MemoryBucket(files={"root/file": TEXT, "root/empty": b""})
    limited = MemoryBucket(span_bytes=7, files=plain.files)
    assert content_of(store_of(limited), "file", wanted) == content_of(store_of(plain), "file", wanted)
    assert content_of(store_of(limited), "empty") == b""
    assert limited.calls.count("read") > 2


def test_a_page_of_a_listing_is_one_call() -> None:
    bucket = MemoryBucket(files={f"root/run/{number:05}": b"" for number in range(2500)})
    store, after, names = store_of(bucket), "", list[str]()
    while True:
        listing = store.list("run", after=after)
        names += [entry.name for entry in listing.entries]
        if listing.next_after is None:
            break
        after = listing.next_after
    assert names == [f"{number:05}" for number in range(2500)]
    assert bucket.calls == ["page"] * 3


def test_names_that_are_no_keys_are_not_listed() -> None:
    names = ["root/run/good", "root/run/", "root/run//x", "root/run/../x", "root/run/a\\b", "root/run/a:b"]
    bucket = MemoryBucket(files=dict.fromkeys(names, b""))
    assert [entry.name for entry in store_of(bucket).list("run").entries] == ["a:b", "good"]


def test_a_folder_of_many_goes_in_batches_and_what_is_locked_is_told_once() -> None:
    files = {f"root/run/{number:05}": b"12" for number in range(2500)} | {"root/run/folder/": b"", "root/run2": b"x"}
    bucket = MemoryBucket(files=files, locked=frozenset({"root/run/00007"}))
    deleted = store_of(bucket).delete_prefix("run")
    assert (deleted.files, deleted.size_bytes) == (2499, 4998)
    assert [leftover.key for leftover in deleted.leftovers] == ["run/00007"]
    assert sorted(bucket.files) == ["root/run/00007", "root/run2"]
    assert bucket.calls.count("delete") <= 5


def test_a_bucket_without_prefix() -> None:
    bucket = MemoryBucket()
    put(store_of(bucket, ""), "run/file", b"1")
    assert bucket.files == {"run/file": b"1"}
    assert [entry.name for entry in store_of(bucket, "").list("").entries] == ["run"]
    assert store_of(bucket, "").delete_prefix("").files == 1
