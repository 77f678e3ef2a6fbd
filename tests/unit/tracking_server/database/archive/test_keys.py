"""The files of keys: every way to write 32 random bytes, and nothing else."""

import base64

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tracking_server.database.archive.keys import BackupKey, parse_key

SECRET = bytes(range(100, 132))
SECRETS = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(SECRET, id="raw"),
        pytest.param(SECRET.hex().encode(), id="hexadecimal"),
        pytest.param(SECRET.hex().upper().encode() + b"\n", id="HEXADECIMAL, a line"),
        pytest.param(base64.b64encode(SECRET), id="base64"),
        pytest.param(base64.b64encode(SECRET).rstrip(b"=") + b"\r\n", id="base64, unpadded, a line"),
        pytest.param(base64.urlsafe_b64encode(SECRET) + b"\n", id="URL-safe base64"),
    ],
)
def test_a_key_is_read_however_it_is_written(content: bytes) -> None:
    assert parse_key(content) == BackupKey(SECRET)


@given(SECRETS, SECRETS)
def test_each_form_reads_back(secret: bytes, other: bytes) -> None:
    assume(len(set(secret)) >= 16 and len(set(other)) >= 16)
    for content in (base64.b64encode(secret), base64.urlsafe_b64encode(secret), secret.hex().encode()):
        assert parse_key(content).secret == secret
    assert (BackupKey(secret).id == BackupKey(other).id) == (secret == other)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "not 32 bytes", id="empty"),
        pytest.param(SECRET + b"\n", "not 32 bytes", id="raw, a line"),
        pytest.param(SECRET[:31], "not 32 bytes", id="31 bytes"),
        pytest.param(base64.b64encode(SECRET[:24]), "a text", id="24 bytes in base64"),
        pytest.param(base64.b64encode(SECRET + SECRET), "not 32 bytes", id="64 bytes in base64"),
        pytest.param(SECRET.hex().encode()[:-1], "not 32 bytes", id="63 digits"),
        pytest.param(b"correct horse battery staple 123", "a text", id="a passphrase"),
        pytest.param(bytes(32), "not random", id="zeros"),
        pytest.param(b"0" * 64, "not random", id="zeros in hexadecimal"),
    ],
)
def test_what_is_no_key_is_refused_without_being_shown(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refusal:
        parse_key(content)
    if content.strip():
        assert content.strip().decode("latin-1") not in str(refusal.value)


def test_a_key_does_not_show_itself() -> None:
    key = BackupKey(SECRET)
    assert repr(key) == "BackupKey()"
    assert len(key.id) == 16
    assert key.id not in SECRET.hex()
