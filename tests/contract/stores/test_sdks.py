"""The SDKs of object stores are optional: whoever does not use one neither loads nor needs it."""

import subprocess
import sys

import pytest

SDKS = ("boto3", "botocore", "google.cloud.storage", "google.auth", "azure.storage.blob", "azure.identity", "requests")


def python(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)


def test_a_server_on_a_folder_loads_none() -> None:
    finished = python(
        "import sys\n"
        "from pathlib import Path\n"
        "import tracking_server.commands.server, tracking_server.commands.gc\n"
        "from tracking_server.artifacts.open_store import open_roots\n"
        "open_roots('./mlartifacts', 'mlflow-artifacts:/', Path('/srv'))\n"
        f"print([name for name in {SDKS!r} if name in sys.modules])\n"
    )
    assert (finished.stdout, finished.stderr) == ("[]\n", "")


@pytest.mark.parametrize(
    ("uri", "package", "extra"),
    [
        ("s3://bucket", "boto3", "s3"),
        ("gs://bucket", "google.cloud.storage", "gcs"),
        ("wasbs://c@a.blob.core.windows.net", "azure.storage.blob", "azure"),
    ],
)
def test_a_server_on_a_bucket_says_which_extra_it_lacks(uri: str, package: str, extra: str) -> None:
    finished = python(
        "import sys\n"
        f"sys.modules[{package!r}] = None\n"
        "from tracking_server.__main__ import main\n"
        f"sys.argv = ['trackplane', 'server', '--backend-store-uri', 'sqlite://', '--artifacts-destination', {uri!r}]\n"
        "main()\n"
    )
    assert finished.returncode == 10
    assert f"pip install 'trackplane[{extra}]'" in finished.stderr
    assert "Traceback" not in finished.stderr
