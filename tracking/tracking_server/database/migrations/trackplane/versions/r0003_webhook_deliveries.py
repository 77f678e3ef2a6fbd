"""The table in which what webhooks are to be told waits until it has arrived."""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, String, Text, inspect
from sqlalchemy.dialects.mysql import MEDIUMTEXT

revision = "0003"
down_revision = "0002"
additive = True
rewrites: Sequence[str] = ()

TABLE = "trackplane_webhook_deliveries"
INDEX = "trackplane_webhook_deliveries_by_webhook"


def upgrade() -> None:
    """Each part looks before it makes: MySQL and MariaDB keep what a killed try has made."""
    if not inspect(op.get_bind()).has_table(TABLE):
        op.create_table(
            TABLE,
            Column("sequence", BigInteger().with_variant(Integer(), "sqlite"), autoincrement=True, nullable=False),
            Column("delivery_id", String(36), nullable=False),
            Column("webhook_id", String(256), nullable=False),
            Column("body", Text().with_variant(MEDIUMTEXT(), "mysql"), nullable=False),
            Column("created_at", BigInteger(), nullable=False),
            Column("due_at", BigInteger(), nullable=False),
            Column("attempts", Integer(), nullable=False),
            Column("lease_id", String(32), nullable=True),
            Column("leased_until", BigInteger(), nullable=False),
            Column("failed_at", BigInteger(), nullable=True),
            Column("failure", String(500), nullable=True),
            PrimaryKeyConstraint("sequence", name="trackplane_webhook_deliveries_pk"),
            sqlite_autoincrement=True,
        )
    if INDEX not in {index["name"] for index in inspect(op.get_bind()).get_indexes(TABLE)}:
        op.create_index(INDEX, TABLE, ["webhook_id", "failed_at", "sequence"])
