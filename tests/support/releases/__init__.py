"""Databases made on the spot by releases of MLflow, each upgraded by MLflow 3.17.2 and by ours: `make releases`."""
