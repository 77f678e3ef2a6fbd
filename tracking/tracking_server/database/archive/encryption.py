"""Encrypted archives: the bytes of an archive in sealed frames, of which none can be changed, moved or left out.

    head: magic, version, id of the key, salt | frame | frame | ... | last frame

A frame is 64 KiB of the archive, sealed with AES-256-GCM; the last one may be shorter. Each archive has a key of its
own, derived by HKDF from the key file, the salt and the head. A nonce is a prefix, the number of the frame, and whether
it is the last one: the construction called STREAM. So a frame opens only in its archive and at its place, and a file
that was cut has no last frame.

Only the head is readable without the key. Nothing here changes for the files that exist: another layout gets another
version.
"""

import io
import os
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

from tracking_server.database.archive.format import ArchiveDamaged
from tracking_server.database.archive.keys import BackupKey, key_with_id
from tracking_server.database.archive.seekable import SeekableFile
from tracking_server.errors import ConfigInvalid

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

VERSION: Final = 1
FRAME_BYTES: Final = 64 << 10
TAG_BYTES: Final = 16
SEALED_BYTES: Final = FRAME_BYTES + TAG_BYTES
SALT_BYTES: Final = 32
MAGIC: Final = b"trackplane encrypted archive\r\n"

_HEAD: Final = struct.Struct(f">{len(MAGIC)}sB8s{SALT_BYTES}s")
HEAD_BYTES: Final = _HEAD.size
_KEY_BYTES: Final = 32
_PREFIX_BYTES: Final = 7
_NONCE_END: Final = struct.Struct(">IB")


class Sink(Protocol):
    """Where bytes go to."""

    def write(self, content: bytes, /) -> object: ...


def is_encrypted(head: bytes) -> bool:
    return head.startswith(MAGIC)


def encode_head(key: BackupKey, salt: bytes) -> bytes:
    return _HEAD.pack(MAGIC, VERSION, bytes.fromhex(key.id), salt)


def key_id_of(head: bytes) -> str:
    """Raises ArchiveDamaged."""
    if len(head) < HEAD_BYTES:
        raise ArchiveDamaged("It is encrypted, and too short to be an archive.")
    _, version, key_id, _ = _HEAD.unpack(head[:HEAD_BYTES])
    if version != VERSION:
        raise ArchiveDamaged(f"It is encrypted in the way {version}; this release knows the way {VERSION}.")
    return bytes(key_id).hex()


class Cipher:
    """Seals and opens the frames of the one archive that begins with this head. Raises ConfigInvalid without the
    package that does it."""

    def __init__(self, key: BackupKey, head: bytes) -> None:
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
            from cryptography.hazmat.primitives.hashes import SHA256
            from cryptography.hazmat.primitives.kdf.hkdf import HKDF
        except ModuleNotFoundError as error:
            raise ConfigInvalid(
                "An encrypted archive needs the Python package cryptography, which is not installed: pip install"
                " 'trackplane[server]'."
            ) from error
        salt, info = head[-SALT_BYTES:], head[:-SALT_BYTES]
        derived = HKDF(algorithm=SHA256(), length=_KEY_BYTES + _PREFIX_BYTES, salt=salt, info=info).derive(key.secret)
        self._aead = AESGCM(derived[:_KEY_BYTES])
        self._prefix = derived[_KEY_BYTES:]
        self._refusal = InvalidTag

    def seal(self, number: int, content: bytes, *, is_last: bool) -> bytes:
        return self._aead.encrypt(self._nonce(number, is_last=is_last), content, None)

    def open(self, number: int, sealed: bytes, *, is_last: bool) -> bytes:
        """Raises ArchiveDamaged."""
        try:
            return self._aead.decrypt(self._nonce(number, is_last=is_last), sealed, None)
        except self._refusal:
            raise ArchiveDamaged(
                f"The part {number} of it does not open with its key: it was changed, moved, or the end is missing."
            ) from None

    def _nonce(self, number: int, *, is_last: bool) -> bytes:
        return self._prefix + _NONCE_END.pack(number, is_last)


class SealingSink:
    """Takes the bytes of an archive, and passes them on sealed. `finish` seals the last frame."""

    def __init__(self, sink: Sink, key: BackupKey, salt: bytes) -> None:
        head = encode_head(key, salt)
        self._cipher = Cipher(key, head)
        self._sink = sink
        self._held = bytearray()
        self._number = 0
        sink.write(head)

    def write(self, content: bytes, /) -> None:
        """What fills a frame is held until more comes: it may be the last one."""
        self._held += content
        start = 0
        while len(self._held) - start > FRAME_BYTES:
            self._seal(bytes(self._held[start : start + FRAME_BYTES]), is_last=False)
            start += FRAME_BYTES
        del self._held[:start]

    def finish(self) -> None:
        self._seal(bytes(self._held), is_last=True)
        self._held.clear()

    def _seal(self, content: bytes, *, is_last: bool) -> None:
        self._sink.write(self._cipher.seal(self._number, content, is_last=is_last))
        self._number += 1


class OpenedFile(SeekableFile):
    """The archive in an encrypted file, to be read from any place. Raises ArchiveDamaged, at the latest when what is
    damaged is read."""

    def __init__(self, file: io.BufferedReader, head: bytes, keys: Sequence[BackupKey]) -> None:
        """Raises ConfigInvalid when the key is not there."""
        self._cipher = Cipher(key_with_id(keys, key_id_of(head)), head[:HEAD_BYTES])
        self._file = file
        sealed_bytes = file.seek(0, os.SEEK_END) - HEAD_BYTES
        self._frames = -(-sealed_bytes // SEALED_BYTES)
        super().__init__(sealed_bytes - self._frames * TAG_BYTES)
        if self.size_bytes <= max(self._frames - 1, 0) * FRAME_BYTES:
            raise ArchiveDamaged("It is encrypted, and was cut off.")
        self._opened = (-1, b"")

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        if self._position >= self.size_bytes:
            return 0
        view = memoryview(buffer)
        number, start = divmod(self._position, FRAME_BYTES)
        content = self._frame(number)[start : start + len(view)]
        view[: len(content)] = content
        self._position += len(content)
        return len(content)

    def _frame(self, number: int) -> bytes:
        """The one that was opened last is kept."""
        if self._opened[0] != number:
            self._file.seek(HEAD_BYTES + number * SEALED_BYTES)
            sealed = self._file.read(SEALED_BYTES)
            self._opened = number, self._cipher.open(number, sealed, is_last=number == self._frames - 1)
        return self._opened[1]
