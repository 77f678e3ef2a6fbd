"""A table that says that it was made. Making it twice fails."""

from collections.abc import Sequence
from pathlib import Path

from alembic import op

revision = "9999"
down_revision = max(Path(__file__).parent.glob("r0*.py")).name[1:5]
additive = True
rewrites: Sequence[str] = ()


def upgrade() -> None:
    op.execute("CREATE TABLE trackplane_story (migrated INTEGER NOT NULL)")
    op.execute("INSERT INTO trackplane_story VALUES (1)")
