"""The two lineages of revisions, an Alembic script location each, and the one way to apply them."""
