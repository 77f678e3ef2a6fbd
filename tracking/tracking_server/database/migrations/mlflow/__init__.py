"""MLflow's own lineage, with MLflow's revision ids: what this release knows of it.

An empty database is built at the head directly; one of an older MLflow is carried to it, a revision at a time.
"""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

HEAD: Final = "dc11669786a5"
"""Of MLflow 3.17.2, whose tables `schema.py` declares."""
VERSION_TABLE: Final = "alembic_version"
SCRIPTS: Final = Path(__file__).parent


@cache
def releases() -> Mapping[str, str]:
    """For each revision up to the head, in order, the first release of MLflow that has it."""
    with Path(__file__).with_name("revisions.csv").open(encoding="utf-8") as file:
        return {row["revision"]: row["release"] for row in csv.DictReader(file)}
