"""Spec to manifests, one module per kind of child. Pure."""
