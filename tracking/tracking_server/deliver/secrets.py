"""The secrets of webhooks at rest: encrypted with Fernet as MLflow does, so that each reads what the other wrote.

MLflow without a key makes one in each process, which no other process and no restart can use. Here a server on the
embedded database makes one key and keeps it in a file beside the database; any other needs to be given one.
"""

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tracking_server.errors import InvalidParameter
from tracking_server.settings import Secret

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KEY_VARIABLE: Final = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"
STORED_CHARACTERS: Final = 1000


class Undecipherable(Exception):
    """It was encrypted with another key, or the key is gone."""


class SecretKeeper:
    """`key` is what the server was given, else `key_file` is where one is kept, else there is none."""

    def __init__(self, key: Secret | None = None, key_file: Path | None = None) -> None:
        self._key = key
        self._file = key_file

    def encrypt(self, secret: str) -> str:
        """Raises InvalidParameter."""
        from cryptography.fernet import Fernet  # only where there are secrets

        key = self._key.reveal().encode() if self._key is not None else None
        if key is None and self._file is not None:
            try:
                key = _kept_key(self._file, Fernet.generate_key())
            except OSError as error:
                raise InvalidParameter(
                    f"The secret is not stored: its key cannot be kept in {self._file} ({error.strerror}). Set"
                    f" {KEY_VARIABLE} to a Fernet key."
                ) from error
        if key is None:
            raise InvalidParameter(
                "This server has no key to encrypt the secret with, so it does not store it. Set"
                f" {KEY_VARIABLE} to a Fernet key, the same for all replicas, or leave the secret out."
            )
        token = Fernet(key).encrypt(secret.encode()).decode("ascii")
        if len(token) > STORED_CHARACTERS:
            raise InvalidParameter("The secret is too long: encrypted, it must fit in 1000 characters.")
        return token

    def decrypt(self, token: str) -> str:
        """Raises Undecipherable."""
        from cryptography.fernet import InvalidToken

        fernet = self._reader()
        if fernet is None:
            raise Undecipherable(f"no key: set {KEY_VARIABLE} to the one with which it was stored")
        try:
            return fernet.decrypt(token.encode()).decode()
        except (InvalidToken, UnicodeError) as error:
            raise Undecipherable(f"stored with another key than {self._whence()}") from error

    def _reader(self) -> "Fernet | None":
        from cryptography.fernet import Fernet

        if self._key is not None:
            return Fernet(self._key.reveal().encode())
        if self._file is not None and self._file.exists():
            return Fernet(self._file.read_bytes().strip())
        return None

    def _whence(self) -> str:
        return f"that of {KEY_VARIABLE}" if self._key is not None else f"that in {self._file}"


def _kept_key(file: Path, new_key: bytes) -> bytes:
    """The key in the file, which gets `new_key` when there is none. Of many processes at once, one makes the file."""
    if not file.exists():
        draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as opened:
                opened.write(new_key)
                opened.flush()
                os.fsync(opened.fileno())
            with contextlib.suppress(FileExistsError):
                file.hardlink_to(draft)
        finally:
            draft.unlink()
    return file.read_bytes().strip()
