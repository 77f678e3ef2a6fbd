"""Frozen history: one module per revision."""
