"""The kopf operator: turns a `TrackingServer` custom resource into a running, upgraded, backed-up tracking server."""
