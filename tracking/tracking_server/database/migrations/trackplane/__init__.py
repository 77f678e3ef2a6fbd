"""Our lineage: extra indexes and tables, in a version table of its own."""
