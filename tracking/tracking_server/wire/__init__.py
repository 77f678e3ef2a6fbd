"""Bytes of a request to the struct that it means, an answer to its bytes; pure.

The structs themselves are `entities`: what is particular to the wire, MLflow's leniency, is here and nowhere else.
"""
