"""What only a store in a file system can get wrong: links, leftovers, permissions."""

import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.artifact_stores import content_of, names_of, put
from tracking_server.artifacts.local import LocalStore
from tracking_server.artifacts.store import ArtifactNotFound, StoreUnavailable, WrongKind


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_bytes(b"secret")
    return folder


def test_the_root_is_made_by_the_first_file(root: Path) -> None:
    store = LocalStore(root / "deeper")
    assert store.list("").entries == ()
    assert not root.exists()
    put(store, "file", b"1")
    assert (root / "deeper" / "file").read_bytes() == b"1"


def test_a_root_behind_a_symbolic_link_is_fine(root: Path, tmp_path: Path) -> None:
    root.mkdir()
    (tmp_path / "link").symlink_to(root)
    put(LocalStore(tmp_path / "link"), "run/file", b"1")
    assert (root / "run" / "file").read_bytes() == b"1"


def test_symbolic_links_are_never_followed(root: Path, outside: Path) -> None:
    store = LocalStore(root)
    put(store, "run/file", b"1")
    (root / "run" / "folder-link").symlink_to(outside)
    (root / "run" / "file-link").symlink_to(outside / "secret")
    (root / "run" / "inner-link").symlink_to(root / "run" / "file")
    assert names_of(store, "run") == ["file"]
    assert store.list("run/folder-link").entries == ()
    for key in ("run/folder-link/secret", "run/file-link", "run/inner-link"):
        with pytest.raises(ArtifactNotFound):
            store.open(key)
        with pytest.raises(ArtifactNotFound):
            store.stat(key)
    with pytest.raises(WrongKind):
        put(store, "run/folder-link/new", b"2")
    store.delete("run/folder-link/secret")
    assert store.delete_prefix("run/folder-link/secret").files == 0
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]


def test_a_file_takes_the_place_of_a_symbolic_link(root: Path, outside: Path) -> None:
    store = LocalStore(root)
    put(store, "run/other", b"1")
    (root / "run" / "link").symlink_to(outside / "secret")
    put(store, "run/link", b"new")
    assert content_of(store, "run/link") == b"new"
    assert (outside / "secret").read_bytes() == b"secret"


def test_delete_prefix_removes_links_and_what_uploads_left_and_nothing_outside(root: Path, outside: Path) -> None:
    store = LocalStore(root)
    put(store, "run/a/file", b"123")
    (root / "run" / "a" / "link").symlink_to(outside)
    (root / "run" / ".artifact.uploading.0123").write_bytes(b"half")
    (root / "run" / "empty").mkdir()
    deleted = store.delete_prefix("run")
    assert deleted.leftovers == ()
    assert list(root.iterdir()) == []
    assert (outside / "secret").exists()


def test_delete_prefix_of_a_very_deep_tree(root: Path) -> None:
    store = LocalStore(root)
    put(store, "/".join(["d"] * 300) + "/file", b"1")
    assert store.delete_prefix("d").files == 1
    assert list(root.iterdir()) == []


def test_unfinished_uploads_are_not_listed(root: Path) -> None:
    store = LocalStore(root)
    with store.create("run/file") as writer:
        writer.write(b"half")
        assert [path.name[:20] for path in (root / "run").iterdir()] == [".artifact.uploading."]
        assert names_of(store, "run") == []
    assert list((root / "run").iterdir()) == []


def test_what_is_neither_file_nor_folder_is_not_there(root: Path) -> None:
    store = LocalStore(root)
    put(store, "run/file", b"1")
    os.mkfifo(root / "run" / "pipe")
    (root / "run").joinpath(os.fsdecode(b"not-\xff-text")).write_bytes(b"")
    assert names_of(store, "run") == ["file"]
    with pytest.raises(ArtifactNotFound):
        store.open("run/pipe")


def test_files_and_folders_are_closed_to_strangers(root: Path) -> None:
    put(LocalStore(root), "run/file", b"1")
    for path in (root, root / "run", root / "run" / "file"):
        assert path.stat().st_mode & 0o007 == 0


def test_a_root_that_is_a_file_makes_the_store_unavailable_and_tells_no_path(tmp_path: Path) -> None:
    (tmp_path / "root").write_bytes(b"")
    store = LocalStore(tmp_path / "root")
    with pytest.raises((StoreUnavailable, WrongKind)) as caught:
        put(store, "run/file", b"1")
    assert str(tmp_path) not in caught.value.message


def test_uploads_survive_the_deletion_of_folders_beside_them(root: Path) -> None:
    """Making a folder and deleting it race: the upload is there, or its maker was told to try again."""
    store = LocalStore(root)
    stop = threading.Event()

    def sweep() -> None:
        while not stop.is_set():
            store.delete_prefix("run")

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for number in range(200):
            with suppress(StoreUnavailable):
                put(store, f"run/deep/{number}", b"1")
    finally:
        stop.set()
        sweeper.join()
