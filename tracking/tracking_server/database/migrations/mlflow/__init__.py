"""MLflow's lineage, under MLflow's revision ids."""
