"""Requests to SQLAlchemy Core statements, one module per noun. Pure."""
