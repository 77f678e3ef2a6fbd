"""MySQL: the schema of a dataset may be longer than 64 KiB."""

from sqlalchemy.dialects.mysql import MEDIUMTEXT

from tracking_server.database.migrations.mlflow.operations import alter_type, dialect

revision = "4465047574b1"
down_revision = "5b0e9adcef9c"


def upgrade() -> None:
    if dialect() == "mysql":
        alter_type("datasets", "dataset_schema", MEDIUMTEXT(), nullable=True)
