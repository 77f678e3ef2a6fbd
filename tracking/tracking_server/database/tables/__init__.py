"""The tables, one module per group. Everybody reads them through `database.schema`."""
