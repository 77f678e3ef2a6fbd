"""The table in which garbage collection claims what it is about to remove for good."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, String, inspect

revision = "0002"
down_revision = "0001"
additive = True
rewrites: Sequence[str] = ()

TABLE = "trackplane_gc_claims"
INDEX = "trackplane_gc_claims_by_claim"


def upgrade() -> None:
    """Each part looks before it makes: MySQL and MariaDB keep what a killed try has made."""
    if not inspect(op.get_bind()).has_table(TABLE):
        op.create_table(
            TABLE,
            Column("kind", String(16), nullable=False),
            Column("id", String(36), nullable=False),
            Column("claim_id", String(32), nullable=False),
            Column("claimed_at", BigInteger(), nullable=False),
            PrimaryKeyConstraint("kind", "id", name="trackplane_gc_claims_pk"),
        )
    if INDEX not in {index["name"] for index in inspect(op.get_bind()).get_indexes(TABLE)}:
        op.create_index(INDEX, TABLE, ["claim_id"])
