"""Our own lineage: indexes that MLflow lacks, and our tables. It adds nothing to MLflow's tables but plain indexes."""

from pathlib import Path
from typing import Final

HEAD: Final = "0003"
"""Told here too, so that a server that has nothing to migrate need not load what migrates."""
VERSION_TABLE: Final = "alembic_version_trackplane"
"""Every check of MLflow ignores a table whose name begins with `alembic_`."""
SCRIPTS: Final = Path(__file__).parent
