"""The ASGI application: routes, streams, checks at the edge."""
