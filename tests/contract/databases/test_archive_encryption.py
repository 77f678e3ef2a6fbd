"""Encrypted backups by the command line: made, verified, restored, and refused to whoever lacks the key."""

import json
import stat
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert

from tests.support.golden import copy_golden
from tracking_server.__main__ import main
from tracking_server.database import schema
from tracking_server.database.archive.backup import back_up, verify_archive
from tracking_server.database.archive.encryption import FRAME_BYTES, HEAD_BYTES, SEALED_BYTES
from tracking_server.database.archive.format import TableContent
from tracking_server.database.archive.keys import BackupKey, make_key, read_key
from tracking_server.database.archive.tables import checksum_of, read_schema
from tracking_server.database.migrations.upgrade import create_schema
from tracking_server.database.transactions import open_database

NOW = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)


def run(*words: str | Path, **environ: str | Path) -> Result:
    variables = {name: str(value) for name, value in environ.items()}
    return CliRunner().invoke(main, [str(word) for word in words], env=variables)


def reported(*words: str | Path, **environ: str | Path) -> Mapping[str, Any]:
    result = run(*words, "--json", **environ)
    report: Mapping[str, Any] = json.loads(result.stdout)
    assert report["ok"] == (result.exit_code == 0)
    return report


def contents(path: Path) -> list[TableContent]:
    database = open_database(f"sqlite:///{path}")
    try:
        with database.snapshot() as connection:
            return [checksum_of(connection, table) for table in read_schema(connection).tables]
    finally:
        database.dispose()


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    return copy_golden(tmp_path / "mlflow.db")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    make_key(tmp_path / "backup.key")
    return tmp_path / "backup.key"


@pytest.fixture
def other_key_file(tmp_path: Path) -> Path:
    make_key(tmp_path / "other.key")
    return tmp_path / "other.key"


@pytest.fixture
def archive(golden: Path, key_file: Path, tmp_path: Path) -> Path:
    (tmp_path / "backups").mkdir()
    told = reported(
        "backup", "--to", tmp_path / "backups", "--encrypt-key-file", key_file, MLFLOW_BACKEND_STORE_URI=url_of(golden)
    )
    return Path(told["path"])


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def test_an_encrypted_backup_is_verified_and_restored_with_its_key(
    archive: Path, golden: Path, key_file: Path, tmp_path: Path
) -> None:
    key_id = read_key(key_file).id
    assert archive.name.endswith(".zst.enc")
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    verified = reported("backup", "verify", archive, "--key-file", key_file)
    assert (verified["verified"], verified["encrypted"], verified["key_id"]) == (True, True, key_id)
    assert verified["size_bytes"] == archive.stat().st_size
    target = tmp_path / "restored.db"
    restored = reported("restore", archive, "--key-file", key_file, MLFLOW_BACKEND_STORE_URI=url_of(target))
    assert restored["ok"]
    assert contents(target) == contents(golden)


def test_the_key_file_may_be_named_by_the_environment(archive: Path, key_file: Path, other_key_file: Path) -> None:
    assert reported("backup", "verify", archive, TRACKPLANE_BACKUP_KEY_FILE=key_file)["ok"]
    assert reported("backup", "verify", archive, TRACKPLANE_BACKUP_KEY_FILE=f"{other_key_file}:{key_file}")["ok"]


def test_without_its_key_the_archive_says_which_one_it_is(
    archive: Path, golden: Path, key_file: Path, other_key_file: Path
) -> None:
    key_id, other_id = read_key(key_file).id, read_key(other_key_file).id
    before = golden.read_bytes()
    for words in (("backup", "verify", archive), ("restore", archive, "--replace")):
        for given in ((), ("--key-file", other_key_file)):
            report = reported(*words, *given, MLFLOW_BACKEND_STORE_URI=url_of(golden))
            assert report["reason"] == "ConfigInvalid"
            assert f"encrypted with the key {key_id}" in report["message"]
            assert (other_id in report["message"]) == bool(given)
            assert "--key-file" in report["message"]
    assert golden.read_bytes() == before


def test_nothing_of_the_database_nor_the_key_is_readable(archive: Path, key_file: Path, tmp_path: Path) -> None:
    content = archive.read_bytes()
    secret = read_key(key_file).secret
    for word in (b"alembic", b"CREATE TABLE", b"sqlite", b"trackplane archive", secret, secret.hex().encode()):
        assert word not in content
    report = tmp_path / "report.json"
    result = run("backup", "verify", archive, "--key-file", key_file, "--report-file", report)
    for told in (result.output, report.read_text()):
        assert key_file.read_text().strip() not in told
        assert secret.hex() not in told


def test_the_plain_archive_in_it_does_not_have_the_key(archive: Path, key_file: Path) -> None:
    manifest = verify_archive(archive, [read_key(key_file)]).manifest
    assert read_key(key_file).id not in repr(manifest)


def swapped(content: bytes) -> bytes:
    """The first two frames."""
    start, middle, end = HEAD_BYTES, HEAD_BYTES + SEALED_BYTES, HEAD_BYTES + 2 * SEALED_BYTES
    return content[:start] + content[middle:end] + content[start:middle] + content[end:]


def flipped(place: int) -> Callable[[bytes], bytes]:
    def flip(content: bytes) -> bytes:
        changed = bytearray(content)
        changed[place] ^= 1
        return bytes(changed)

    return flip


def longer(content: bytes) -> bytes:
    return content + b"x"


def cut(length: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:length]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(cut(-1), id="cut"),
        pytest.param(cut(HEAD_BYTES + SEALED_BYTES), id="cut between frames"),
        pytest.param(longer, id="longer"),
        pytest.param(swapped, id="frames swapped"),
        pytest.param(flipped(HEAD_BYTES - 1), id="bit of the salt"),
        pytest.param(flipped(HEAD_BYTES + FRAME_BYTES // 2), id="bit of the rows"),
        pytest.param(flipped(HEAD_BYTES + FRAME_BYTES), id="bit of a tag"),
        pytest.param(flipped(-1), id="last bit"),
    ],
)
def test_a_damaged_archive_is_refused_and_changes_nothing(
    damage: Callable[[bytes], bytes], large_archive: tuple[Path, BackupKey], golden: Path, tmp_path: Path
) -> None:
    path, key = large_archive
    damaged, key_file = tmp_path / "damaged.zst.enc", tmp_path / "key"
    damaged.write_bytes(damage(path.read_bytes()))
    key_file.write_bytes(key.secret)
    before = contents(golden)
    report = reported("backup", "verify", damaged, "--key-file", key_file)
    assert report["reason"] == "BackupFailed"
    assert "not a whole archive" in report["message"]
    report = reported("restore", damaged, "--key-file", key_file, "--replace", MLFLOW_BACKEND_STORE_URI=url_of(golden))
    assert report["reason"] == "RestoreFailed"
    assert contents(golden) == before


@pytest.fixture(scope="module")
def large_archive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, BackupKey]:
    """Of several frames, from a database of many more rows."""
    folder = tmp_path_factory.mktemp("large")
    key = make_key(folder / "key")
    database = open_database(url_of(folder / "mlflow.db"))
    create_schema(database)
    with database.write() as connection:
        run_row = {"run_uuid": "m", "experiment_id": None}
        connection.execute(insert(schema.runs).values(run_row))
        rows = [
            {"key": f"k{i % 7}", "value": i / 3, "timestamp": i * 7919, "step": i, "run_uuid": "m"}
            for i in range(40_000)
        ]
        connection.execute(insert(schema.metrics), rows)
    tracemalloc.start()
    try:
        archive = back_up(database, folder, now=NOW, tool="a test", key=key)
        verify_archive(archive.path, [key])
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        database.dispose()
    assert archive.size_bytes > 4 * SEALED_BYTES
    assert archive.manifest.rows > 40_000
    assert peak_bytes < 14_000_000, "rows are held in memory"
    return archive.path, key


def test_a_large_archive_is_whole(large_archive: tuple[Path, BackupKey]) -> None:
    path, key = large_archive
    verified = verify_archive(path, [key])
    assert (verified.key_id, verified.size_bytes) == (key.id, path.stat().st_size)


# The files of keys


def test_a_new_key_is_for_its_owner_and_never_overwrites_one(tmp_path: Path) -> None:
    path = tmp_path / "new.key"
    report = reported("backup", "new-key", path)
    assert report["key_id"] == read_key(path).id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    refusal = reported("backup", "new-key", path)
    assert (refusal["reason"], path.read_bytes()) == ("ConfigInvalid", before)
    assert "never overwritten" in refusal["message"]
    assert reported("backup", "new-key", tmp_path / "absent" / "new.key")["reason"] == "ConfigInvalid"


def test_a_key_file_that_everybody_may_read_is_told(archive: Path, key_file: Path) -> None:
    assert "warning" not in run("backup", "verify", archive, "--key-file", key_file).stderr
    key_file.chmod(0o644)
    result = run("backup", "verify", archive, "--key-file", key_file)
    assert result.exit_code == 0
    assert f"warning: everybody on this machine may read the key file {key_file}" in result.stderr


def test_a_key_file_that_holds_none_is_refused_before_anything_is_written(golden: Path, tmp_path: Path) -> None:
    key_file, folder = tmp_path / "bad.key", tmp_path / "backups"
    folder.mkdir()
    key_file.write_text("correct horse")
    for path, message in ((key_file, "holds no key of backups"), (tmp_path / "absent", "cannot be read")):
        report = reported("backup", "--to", folder, "--encrypt-key-file", path, MLFLOW_BACKEND_STORE_URI=url_of(golden))
        assert report["reason"] == "ConfigInvalid"
        assert message in report["message"]
        assert "correct horse" not in report["message"]
    assert list(folder.iterdir()) == []


def test_a_missing_package_is_told(golden: Path, key_file: Path, tmp_path: Path) -> None:
    program = "import sys\nsys.modules['cryptography'] = None\nfrom tracking_server.__main__ import main\nmain()\n"
    words = [
        "backup",
        "--to",
        str(tmp_path),
        "--encrypt-key-file",
        str(key_file),
        "--backend-store-uri",
        url_of(golden),
    ]
    result = subprocess.run([sys.executable, "-c", program, *words], check=False, capture_output=True, text=True)
    assert result.returncode == 10
    assert "pip install 'trackplane[server]'" in result.stderr
    assert list(tmp_path.glob("*trackplane*")) == []
