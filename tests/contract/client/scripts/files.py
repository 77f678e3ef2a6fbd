"""Logs a large and a small file in a run, and reads them back. The last line says where they are and what came back.

Usage: files.py TRACKING_URI
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

import mlflow

MIB = 1024 * 1024
FILES = {"large.bin": bytes(range(256)) * (12 * MIB // 256) + b"end", "größe & 100%.txt": b"small"}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main() -> None:
    mlflow.set_tracking_uri(sys.argv[1])
    client = mlflow.MlflowClient()
    run = client.create_run("0")
    with tempfile.TemporaryDirectory() as folder:
        for name, content in FILES.items():
            file = Path(folder) / name
            file.write_bytes(content)
            client.log_artifact(run.info.run_id, str(file), "folder")
    listed = {each.path: each.file_size for each in client.list_artifacts(run.info.run_id, "folder")}
    with tempfile.TemporaryDirectory() as folder:
        found = Path(client.download_artifacts(run.info.run_id, "folder", folder))
        read = {file.name: digest(file.read_bytes()) for file in found.iterdir()}
    print(
        json.dumps(
            {
                "uri": run.info.artifact_uri,
                "sizes_are_right": listed == {f"folder/{name}": len(content) for name, content in FILES.items()},
                "contents_are_right": read == {name: digest(content) for name, content in FILES.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
