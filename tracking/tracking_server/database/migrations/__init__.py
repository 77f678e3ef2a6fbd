"""The two lineages of schema revisions, an Alembic environment each."""
