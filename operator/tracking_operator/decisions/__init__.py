"""Spec and observation to what happens next. Pure."""
