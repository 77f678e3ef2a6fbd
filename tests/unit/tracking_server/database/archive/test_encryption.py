"""Sealed frames: what goes in comes out from any place, and whatever was changed, moved or cut off is refused."""

import io
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracking_server.database.archive.encryption import (
    FRAME_BYTES,
    HEAD_BYTES,
    MAGIC,
    SALT_BYTES,
    SEALED_BYTES,
    TAG_BYTES,
    OpenedFile,
    SealingSink,
    encode_head,
    is_encrypted,
    key_id_of,
)
from tracking_server.database.archive.files import ArchiveWriter, open_archive
from tracking_server.database.archive.format import FORMAT, ArchiveDamaged, Manifest, NativeSchema
from tracking_server.database.archive.keys import BackupKey
from tracking_server.errors import ConfigInvalid

KEY = BackupKey(bytes(range(100, 132)))
OTHER_KEY = BackupKey(bytes(range(200, 232)))
SALT, OTHER_SALT = b"s" * SALT_BYTES, b"t" * SALT_BYTES


def a_size(frames: int, more: int) -> int:
    return frames * FRAME_BYTES + more


SIZES: st.SearchStrategy[int] = st.one_of(
    st.integers(1, 200),
    st.builds(a_size, st.integers(1, 3), st.sampled_from([-1, 0, 1, 40_000])),
)


def random_bytes(count: int) -> bytes:
    return random.Random(count).randbytes(count)


def sealed(content: bytes, *, key: BackupKey = KEY, salt: bytes = SALT, cuts: tuple[int, ...] = ()) -> bytes:
    """`cuts`: where one call of `write` ends and the next begins."""
    target = io.BytesIO()
    sink = SealingSink(target, key, salt)
    places = [0, *sorted(cut % (len(content) + 1) for cut in cuts), len(content)]
    for start, end in pairwise(places):
        sink.write(content[start:end])
    sink.finish()
    return target.getvalue()


def buffered(content: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(content))


def opened(content: bytes, *keys: BackupKey) -> io.BufferedReader:
    return io.BufferedReader(OpenedFile(buffered(content), content[:HEAD_BYTES], keys or (KEY,)))


def an_archive() -> bytes:
    """Small, so that each of its bits can be tried."""
    target = io.BytesIO()
    sink = SealingSink(target, KEY, SALT)
    writer = ArchiveWriter(sink)
    writer.write(b'{"table":"t","columns":[]}\n')
    writer.finish(
        Manifest(
            format=FORMAT,
            tool="t",
            created_at="2026-11-25T12:30:00+00:00",
            dialect="sqlite",
            mlflow=None,
            trackplane=None,
            tables=(),
            native_schema=NativeSchema(),
        )
    )
    sink.finish()
    return target.getvalue()


def read_whole(content: bytes, *keys: BackupKey) -> None:
    for _ in open_archive(buffered(content), keys or (KEY,)).blocks():
        pass


@settings(max_examples=40)
@given(
    size=SIZES, cuts=st.lists(st.integers(0, 1 << 20), max_size=4), places=st.lists(st.integers(0, 1 << 20), max_size=5)
)
def test_what_goes_in_comes_out_from_any_place(size: int, cuts: list[int], places: list[int]) -> None:
    content = random_bytes(size)
    encrypted = sealed(content, cuts=tuple(cuts))
    assert encrypted == sealed(content)
    frames = -(-size // FRAME_BYTES)
    assert len(encrypted) == HEAD_BYTES + size + frames * TAG_BYTES
    file = opened(encrypted)
    assert file.read() == content
    for place in (place % (size + 2) for place in places):
        assert file.seek(place) == place
        assert file.read(1000) == content[place : place + 1000]
    assert file.seek(0, io.SEEK_END) == size
    assert file.read() == b""


@settings(max_examples=40)
@given(size=SIZES, kept=st.floats(0, 1, exclude_max=True))
def test_what_was_cut_off_is_refused(size: int, kept: float) -> None:
    encrypted = sealed(random_bytes(size))
    with pytest.raises(ArchiveDamaged):
        opened(encrypted[: int(len(encrypted) * kept)]).read()


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_an_end_that_falls_between_frames_is_refused(frames: int) -> None:
    encrypted = sealed(random_bytes(frames * FRAME_BYTES + 1))
    with pytest.raises(ArchiveDamaged, match="the end is missing"):
        opened(encrypted[: HEAD_BYTES + frames * SEALED_BYTES]).read()


@settings(max_examples=40)
@given(size=SIZES, place=st.integers(0), bit=st.integers(0, 7))
def test_a_changed_bit_is_refused_where_it_is_read(size: int, place: int, bit: int) -> None:
    encrypted = bytearray(sealed(random_bytes(size)))
    encrypted[HEAD_BYTES + place % (len(encrypted) - HEAD_BYTES)] ^= 1 << bit
    with pytest.raises(ArchiveDamaged, match="does not open with its key"):
        opened(bytes(encrypted)).read()


@given(more=st.binary(min_size=1, max_size=3 * TAG_BYTES))
def test_what_was_added_is_refused(more: bytes) -> None:
    with pytest.raises(ArchiveDamaged):
        opened(sealed(random_bytes(FRAME_BYTES)) + more).read()


def test_frames_cannot_change_places() -> None:
    encrypted = sealed(random_bytes(3 * FRAME_BYTES + 5))
    head, frames = encrypted[:HEAD_BYTES], encrypted[HEAD_BYTES:]
    first, second, rest = frames[:SEALED_BYTES], frames[SEALED_BYTES : 2 * SEALED_BYTES], frames[2 * SEALED_BYTES :]
    assert opened(head + first + second + rest).read() == random_bytes(3 * FRAME_BYTES + 5)
    for moved in (second + first + rest, first + first + rest, second + rest, first + rest):
        with pytest.raises(ArchiveDamaged, match="does not open with its key"):
            opened(head + moved).read()


def test_frames_of_two_archives_do_not_mix() -> None:
    content = random_bytes(2 * FRAME_BYTES)
    one, other = sealed(content), sealed(content, salt=OTHER_SALT)
    assert one[HEAD_BYTES:] != other[HEAD_BYTES:]
    with pytest.raises(ArchiveDamaged, match="does not open with its key"):
        opened(one[: HEAD_BYTES + SEALED_BYTES] + other[HEAD_BYTES + SEALED_BYTES :]).read()
    with pytest.raises(ArchiveDamaged, match="does not open with its key"):
        opened(one[:HEAD_BYTES] + other[HEAD_BYTES:]).read()


def test_each_changed_bit_of_an_archive_is_refused() -> None:
    encrypted = an_archive()
    read_whole(encrypted)
    for place in range(len(encrypted)):
        for bit in range(8):
            changed = bytearray(encrypted)
            changed[place] ^= 1 << bit
            with pytest.raises((ArchiveDamaged, ConfigInvalid)):
                read_whole(bytes(changed))


def test_each_shorter_archive_is_refused() -> None:
    encrypted = an_archive()
    for length in range(len(encrypted)):
        with pytest.raises(ArchiveDamaged):
            read_whole(encrypted[:length])


def test_the_key_that_is_wanted_is_named() -> None:
    encrypted = an_archive()
    with pytest.raises(ConfigInvalid, match=f"with the key {KEY.id}, and none was given.*--key-file"):
        open_archive(buffered(encrypted))
    with pytest.raises(ConfigInvalid, match=f"with the key {KEY.id}, and the given ones are {OTHER_KEY.id}"):
        open_archive(buffered(encrypted), [OTHER_KEY])
    assert open_archive(buffered(encrypted), [OTHER_KEY, KEY]).key_id == KEY.id


def test_the_head_tells_the_version_and_the_key_and_no_more() -> None:
    head = encode_head(KEY, SALT)
    assert is_encrypted(head)
    assert head == MAGIC + b"\x01" + bytes.fromhex(KEY.id) + SALT
    assert key_id_of(head) == KEY.id
    later = head.replace(b"\x01", b"\x02", 1)
    with pytest.raises(ArchiveDamaged, match="in the way 2; this release knows the way 1"):
        key_id_of(later)
