"""Rows that are read to be kept as they are until the transaction ends."""

from typing import Final

LOCK_ON_SQL_SERVER: Final = "WITH (UPDLOCK)"
"""A hint for each statement that is FOR UPDATE or FOR SHARE, which SQLAlchemy leaves out there in silence."""
