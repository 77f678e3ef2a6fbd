"""MLflow's own server and ours under the same calls: what is called, how answers are compared, what may differ."""
