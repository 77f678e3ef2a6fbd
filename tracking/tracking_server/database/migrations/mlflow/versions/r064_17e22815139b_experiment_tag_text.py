"""Values of the tags of experiments of any length."""

from sqlalchemy import Text
from sqlalchemy.dialects.mssql import NVARCHAR
from sqlalchemy.dialects.mysql import MEDIUMTEXT

from tracking_server.database.migrations.mlflow.operations import alter_type

revision = "17e22815139b"
down_revision = "1971f2d9a75b"


def upgrade() -> None:
    """MySQL's MEDIUMTEXT, for 20,000 characters of up to four bytes; MSSQL's TEXT would lose what is not ASCII."""
    kind = Text().with_variant(MEDIUMTEXT(), "mysql").with_variant(NVARCHAR(None), "mssql")
    alter_type("experiment_tags", "value", kind, nullable=True)
