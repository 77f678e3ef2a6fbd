"""Requests that a browser sends from somebody else's page: refused when they change something; pure."""

from tracking_server.errors import PermissionDenied
from tracking_server.web.asgi import Head
from tracking_server.web.hosts import OriginRule
from tracking_server.web.responses import Headers

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_METHODS = b"GET, POST, PUT, DELETE, OPTIONS, PATCH"
_PREFLIGHT_SECONDS = b"600"


class CrossOrigin:
    def __init__(self, rule: OriginRule) -> None:
        self._rule = rule

    def check(self, head: Head) -> Headers:
        """The headers that let the page read the answer, if it may. Raises PermissionDenied."""
        if b"origin" not in head.headers:
            return ()
        origin = head.header(b"origin")
        if self._rule.allows(origin, head.header(b"host")):
            return self._allowing(head)
        if head.method in _CHANGING:
            raise PermissionDenied(
                f"Cross-origin request blocked: pages of {origin[:200]!r} may not change anything here. Add the origin"
                " to MLFLOW_SERVER_CORS_ALLOWED_ORIGINS (--cors-allowed-origins) if it is yours."
            )
        return ((b"vary", b"Origin"),)

    def _allowing(self, head: Head) -> Headers:
        headers: Headers = (
            (b"vary", b"Origin"),
            (b"access-control-allow-origin", head.headers[b"origin"]),
            (b"access-control-expose-headers", b"*"),
        )
        if not self._rule.allows_any:
            headers += ((b"access-control-allow-credentials", b"true"),)
        if head.method == "OPTIONS":
            wanted = head.headers.get(b"access-control-request-headers", b"*")
            headers += (
                (b"access-control-allow-methods", _METHODS),
                (b"access-control-allow-headers", wanted),
                (b"access-control-max-age", _PREFLIGHT_SECONDS),
            )
        return headers
