"""kopf entry points, without logic: every event becomes a key in the queue."""
