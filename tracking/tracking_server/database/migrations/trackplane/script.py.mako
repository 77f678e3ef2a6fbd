"""${message}."""

from collections.abc import Sequence

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
additive = True
rewrites: Sequence[str] = ()


def upgrade() -> None:
    ${upgrades if upgrades else ""}
