"""Rows to entities. Pure."""
