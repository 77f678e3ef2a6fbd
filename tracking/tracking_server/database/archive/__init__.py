"""Backup, verify and restore: one portable format, any engine."""
