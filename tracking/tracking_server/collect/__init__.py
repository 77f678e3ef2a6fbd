"""Garbage collection: claim, delete artifacts, delete rows, report."""
