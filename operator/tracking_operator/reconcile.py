"""The reconcile."""
