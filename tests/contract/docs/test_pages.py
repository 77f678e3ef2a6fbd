"""Pages lead somewhere, and what they tell a reader to apply can be applied."""

import re
from pathlib import Path

import pytest
import yaml

from tests.support.environments import ROOT
from tracking_operator.resource.parse import parse

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)")
YAML = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
MAKE = re.compile(r"(?:`|^    )make (?:-s )?([a-z][a-z-]*)", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text()) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def manifests() -> list[str]:
    texts = [text for page in PAGES for text in YAML.findall(page.read_text())]
    return [text for text in texts if "kind: TrackingServer\n" in text]


@pytest.mark.parametrize("text", manifests())
def test_every_manifest_on_a_page_is_valid(text: str) -> None:
    for document in yaml.safe_load_all(text):
        if document["kind"] == "TrackingServer":
            parse({**document, "metadata": {"namespace": "default", "uid": "1", **document["metadata"]}})


def test_every_target_of_make_on_a_page_exists() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for page in PAGES for target in MAKE.findall(page.read_text())}
    assert named - targets == set()
