"""What a receiver gets: the headers of a delivery, and the signature that proves where it comes from. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

DELIVERY_ID_HEADER: Final = "X-MLflow-Delivery-Id"
TIMESTAMP_HEADER: Final = "X-MLflow-Timestamp"
SIGNATURE_HEADER: Final = "X-MLflow-Signature"


def headers_of(delivery_id: str, body: bytes, *, secret: str | None, now_seconds: int) -> Mapping[str, str]:
    """The time is that of this try: a receiver may refuse what is old, so a later try is signed anew."""
    headers = {
        "Content-Type": "application/json",
        DELIVERY_ID_HEADER: delivery_id,
        TIMESTAMP_HEADER: str(now_seconds),
    }
    if secret:
        headers[SIGNATURE_HEADER] = signature(secret, delivery_id, str(now_seconds), body)
    return headers


def signature(secret: str, delivery_id: str, timestamp: str, body: bytes) -> str:
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode('ascii')}"
