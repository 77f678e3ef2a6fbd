"""The custom resource as Python: its spec, its names, its conditions. Pure."""
