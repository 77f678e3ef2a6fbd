"""The signature: of fixed input, so that it is the same in every release, and as the specification says."""

import base64
import hashlib
import hmac

from tracking_server.deliver.message import headers_of, signature

BODY = b'{"entity":"registered_model"}'


def test_the_signature_covers_id_time_and_body() -> None:
    expected = hmac.new(b"s3cret", b"id-1.1700000000." + BODY, hashlib.sha256).digest()
    assert signature("s3cret", "id-1", "1700000000", BODY) == f"v1,{base64.b64encode(expected).decode()}"
    assert signature("s3cret", "id-1", "1700000000", BODY) == "v1,lFQmvkYkZ3FQakvIJEHd+twLEQmZFi2gaY40SLgVrmE="


def test_a_delivery_without_secret_is_not_signed() -> None:
    assert headers_of("id-1", BODY, secret=None, now_seconds=7) == {
        "Content-Type": "application/json",
        "X-MLflow-Delivery-Id": "id-1",
        "X-MLflow-Timestamp": "7",
    }


def test_a_delivery_with_a_secret_is() -> None:
    headers = headers_of("id-1", BODY, secret="ü", now_seconds=7)
    assert headers["X-MLflow-Signature"] == signature("ü", "id-1", "7", BODY)
