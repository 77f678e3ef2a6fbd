"""The tracking server: MLflow's REST API over MLflow's database schema."""
