"""Run by Alembic for each step, on the connection that holds the migration lock."""

from alembic import context

from tracking_server.database.migrations.mlflow import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    transactional_ddl=context.config.attributes["transactional_ddl"],
    transaction_per_migration=True,
)
context.run_migrations()
