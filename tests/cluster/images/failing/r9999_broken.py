"""Every run loses its name, for good, before a statement fails."""

from collections.abc import Sequence
from pathlib import Path

from alembic import op

revision = "9999"
down_revision = max(Path(__file__).parent.glob("r0*.py")).name[1:5]
additive = True
rewrites: Sequence[str] = ()


def upgrade() -> None:
    op.execute("UPDATE runs SET name = 'damaged'")
    op.get_bind().exec_driver_sql("COMMIT")
    op.execute("INSERT INTO trackplane_no_such_table VALUES (1)")
