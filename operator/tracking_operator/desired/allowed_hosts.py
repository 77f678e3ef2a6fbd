"""The Host headers that a server has to accept: every name under which its Service, or a port-forward, reaches it."""

from tracking_operator.resource.spec import TrackingServer

LOCAL = ("localhost", "localhost:*", "127.0.0.1", "127.0.0.1:*", "[::1]", "[::1]:*")


def allowed_hosts(server: TrackingServer) -> tuple[str, ...]:
    """The names of the Service with and without its port, the local ones, then what the user adds."""
    name, namespace, port = server.metadata.name, server.metadata.namespace, server.spec.networking.service.port
    service = (name, f"{name}.{namespace}", f"{name}.{namespace}.svc", f"{name}.{namespace}.svc.cluster.local")
    hosts = (
        *(variant for host in service for variant in (host, f"{host}:{port}")),
        *LOCAL,
        *server.spec.server.allowed_hosts,
    )
    return tuple(dict.fromkeys(hosts))
