"""Folders of MLflow's FileStore (`mlruns`): read into a database, written from one, and served as a backend."""
