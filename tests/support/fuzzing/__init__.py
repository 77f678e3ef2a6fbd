"""Requests as nobody should send them, on every route of a server, and what its answers must be all the same."""
