"""The backend store: MLflow's schema, statements, transactions, migrations and archives."""
