"""A Helm chart as the objects that it renders to."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.tools import binary
from tracking_operator.resource.kinds import Manifest

ROOT: Final = Path(__file__).resolve().parents[2]
OPERATOR_CHART: Final = ROOT / "charts/trackplane-operator"


def helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([binary("helm"), *arguments], capture_output=True, text=True, check=False)


def rendered(*, release: str = "trackplane-operator", namespace: str = "system", **values: Any) -> list[Manifest]:
    """The objects of the operator's chart, in the order in which Helm would make them."""
    settings = [argument for key, value in values.items() for argument in ("--set-json", f"{key}={json.dumps(value)}")]
    result = helm("template", release, OPERATOR_CHART, "--namespace", namespace, *settings)
    assert result.returncode == 0, result.stderr
    return [manifest for manifest in yaml.safe_load_all(result.stdout) if manifest]


def of_kind(manifests: Iterable[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def only(manifests: Iterable[Manifest], kind: str, suffix: str = "") -> Manifest:
    (found,) = (one for one in of_kind(manifests, kind) if one["metadata"]["name"].endswith(suffix))
    return found
