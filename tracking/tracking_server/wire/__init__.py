"""JSON to requests and entities to JSON, one module per API group. Pure."""
