"""Every example is admitted by a real API server, renders, and is something that somebody would want to apply."""

from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from click.testing import CliRunner

from tests.support.api_server import ApiServer
from tracking_operator.__main__ import main
from tracking_operator.outside.documents import read_documents

ROOT: Final = Path(__file__).resolve().parents[3]
EXAMPLES: Final = sorted((ROOT / "examples").glob("trackingserver*.yaml"))

every_example = pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in EXAMPLES])


@every_example
def test_an_example_is_admitted(api_server: ApiServer, namespace: str, path: Path) -> None:
    for document in yaml.safe_load_all(path.read_text()):
        collection = {
            "Secret": f"/api/v1/namespaces/{namespace}/secrets",
            "TrackingServer": f"/apis/trackplane.io/v1alpha1/namespaces/{namespace}/trackingservers",
        }[document["kind"]]
        api_server.request("POST", f"{collection}?fieldValidation=Strict&dryRun=All", document)


@every_example
def test_an_example_says_what_it_is_for_and_names_the_secrets_that_it_uses(path: Path) -> None:
    assert path.read_text().startswith("# ")
    documents = read_documents(path.read_text())
    (written,) = documents.servers
    there = {secret["metadata"]["name"]: secret["data"] for secret in documents.secrets}
    for reference in written.server.references:
        assert reference.secret_key.key in there[reference.secret_key.name]


@every_example
def test_an_example_renders(path: Path) -> None:
    result = CliRunner().invoke(main, ["render", "-f", str(path)])
    assert result.exit_code == 0, result.output
    manifests: list[dict[str, Any]] = list(yaml.safe_load_all(result.output))
    assert "Deployment" in {manifest["kind"] for manifest in manifests}


def test_every_fault_of_a_file_is_named_and_the_exit_code_says_so(tmp_path: Path) -> None:
    file = tmp_path / "server.yaml"
    text = (ROOT / "examples/trackingserver.yaml").read_text().replace("olderThan: 30d", "olderThan: 30m")
    file.write_text(f"{text}  replicas: 2\n")
    result = CliRunner().invoke(main, ["render", "-f", str(file)])
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"{file}: spec.gc.olderThan: must match ^([1-9][0-9]{{0,4}}d)?([1-9][0-9]{{0,4}}h)?$, '30m' does not",
        f"{file}: spec.replicas: with SQLite there can be at most one replica, because one process writes to the file",
        f"{file}: spec.replicas: more than one replica needs a volume for artifacts with the access mode ReadWriteMany",
    ]


def test_a_file_without_a_tracking_server_is_refused() -> None:
    result = CliRunner().invoke(main, ["render", "-f", "-"], input="{apiVersion: v1, kind: Namespace}")
    assert result.exit_code == 1
    assert "there is no TrackingServer in it" in result.output
