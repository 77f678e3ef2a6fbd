"""One line in the log for each request, but for probes that succeed: docs/operations/logs.md names its facts."""

import logging

from tracking_server.web.asgi import Scope
from tracking_server.web.responses import Exchange

logger = logging.getLogger(__name__)

_SHOWN_CHARACTERS = 500


def log_access(scope: Scope, exchange: Exchange, *, seconds: float, error_code: str) -> None:
    """Without the query string: users put what they search for into it."""
    if not logger.isEnabledFor(logging.INFO) or (exchange.is_probe and exchange.status == 200):
        return
    client: tuple[str, int] | None = scope["client"]
    facts: dict[str, object] = {
        "request_id": exchange.request_id,
        "method": scope["method"],
        "path": scope["path"][:_SHOWN_CHARACTERS],
        "status": exchange.status,
        "duration_ms": round(seconds * 1000, 3),
        "response_bytes": exchange.sent_bytes,
        "client": client[0] if client else "",
    }
    if error_code:
        facts["error_code"] = error_code
    logger.info("request", extra=facts)
