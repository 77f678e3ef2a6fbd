"""gunicorn settings built from Settings."""
