"""Keys of encrypted archives: 32 random bytes in a file of their own."""

import base64
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tracking_server.errors import ConfigInvalid

KEY_FILE: Final = "TRACKPLANE_BACKUP_KEY_FILE"
"""The variable of the environment that names the file."""

_KEY_BYTES: Final = 32
_ID_BYTES: Final = 8
_ID_LABEL: Final = b"trackplane: the id of a key of archives"
_FEWEST_DIFFERENT: Final = 16
"""Of 32 random bytes, about 30 differ. Fewer than 16 never happens."""
_LIMIT_BYTES: Final = 4096
_HEX: Final = re.compile(rb"[0-9A-Fa-f]{64}")
_BASE64: Final = re.compile(rb"[0-9A-Za-z+/_-]{43}=?")
_OTHERS_MAY_READ: Final = 0o004


@dataclass(frozen=True, slots=True)
class BackupKey:
    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """A fingerprint that tells keys apart and says nothing of them: archives and reports show it."""
        return hmac.digest(self.secret, _ID_LABEL, hashlib.sha256)[:_ID_BYTES].hex()


def parse_key(content: bytes) -> BackupKey:
    """From what a file of a key has: 32 bytes as they are, in base64 or hexadecimal. Raises ValueError, which never
    shows what it was."""
    text = content.strip()
    if len(content) == _KEY_BYTES:
        if all(32 <= byte < 127 for byte in content):
            raise ValueError("its 32 bytes are a text, and no random ones")
        secret = content
    elif _HEX.fullmatch(text):
        secret = bytes.fromhex(text.decode("ascii"))
    elif _BASE64.fullmatch(text):
        secret = base64.b64decode(text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/")) + b"=")
    else:
        raise ValueError("it is not 32 bytes, as they are, in base64 or in hexadecimal")
    if len(set(secret)) < _FEWEST_DIFFERENT:
        raise ValueError("its bytes are not random")
    return BackupKey(secret)


def read_key(path: Path) -> BackupKey:
    """Raises ConfigInvalid, which never shows what is in the file."""
    try:
        with path.open("rb") as file:
            content = file.read(_LIMIT_BYTES)
    except OSError as error:
        raise ConfigInvalid(f"The key file {path} cannot be read: {error.strerror}.") from None
    try:
        return parse_key(content)
    except ValueError as reason:
        raise ConfigInvalid(
            f"The file {path} holds no key of backups: {reason}. `trackplane backup new-key FILE` makes one."
        ) from None


def is_open_to_all(path: Path) -> bool:
    return bool(path.stat().st_mode & _OTHERS_MAY_READ)


def make_key(path: Path) -> BackupKey:
    """A new one, in a new file that only its owner reads. Raises ConfigInvalid."""
    key = BackupKey(secrets.token_bytes(_KEY_BYTES))
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(key.secret) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise ConfigInvalid(
            f"{path} exists already, and a key is never overwritten: archives may need it. Name another file."
        ) from None
    except OSError as error:
        raise ConfigInvalid(f"The key file {path} cannot be written: {error.strerror}.") from error
    return key


def key_with_id(keys: Sequence[BackupKey], wanted: str) -> BackupKey:
    """Raises ConfigInvalid, which names the key that is wanted."""
    for key in keys:
        if key.id == wanted:
            return key
    given = f"the given ones are {', '.join(key.id for key in keys)}" if keys else "none was given"
    raise ConfigInvalid(
        f"The archive is encrypted with the key {wanted}, and {given}. Name the file of that key with --key-file or"
        f" {KEY_FILE}."
    )
