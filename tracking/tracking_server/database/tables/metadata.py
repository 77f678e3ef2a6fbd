"""What all tables share: the two collections that they belong to, and the types that differ between engines."""

from typing import Final

from sqlalchemy import Float, MetaData, String, Text, Unicode, UnicodeText
from sqlalchemy.dialects.mysql import LONGTEXT, MEDIUMTEXT

metadata: Final = MetaData()
"""MLflow's tables at the head that we equal, and nothing else."""

own_metadata: Final = MetaData()
"""Our own tables (`trackplane_...`): no foreign key leads from them to MLflow's."""

version_metadata: Final = MetaData()
"""The tables in which the migrations record where a database stands."""

DOUBLE: Final = Float(53)
"""A double on every engine. `sqlalchemy.Double` would be spelt otherwise on SQLite than MLflow spells it."""

UNICODE_TEXT: Final = Text().with_variant(UnicodeText(), "mssql")
"""Where MLflow wants more than the code page of the database on SQL Server; elsewhere it has TEXT there too."""

MEDIUM_TEXT: Final = UNICODE_TEXT.with_variant(MEDIUMTEXT(), "mysql")
LONG_TEXT: Final = Text().with_variant(LONGTEXT(), "mysql")
NAME_OF_A_MODEL: Final = String(500).with_variant(Unicode(500), "mssql")
