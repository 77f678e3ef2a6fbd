import pytest

from tracking_server.deliver.urls import Target, parse_url
from tracking_server.errors import InvalidParameter


@pytest.mark.parametrize(
    ("url", "target"),
    [
        pytest.param(
            "https://example.com", Target(is_encrypted=True, host="example.com", port=443, path="/"), id="bare"
        ),
        pytest.param(
            "http://Example.com:8080/a/b?c=d&e#f",
            Target(is_encrypted=False, host="example.com", port=8080, path="/a/b?c=d&e"),
            id="port, path, query, fragment",
        ),
        pytest.param(
            "https://bücher.example/ü%20?q=ü",
            Target(is_encrypted=True, host="xn--bcher-kva.example", port=443, path="/%C3%BC%20?q=%C3%BC"),
            id="not in ASCII",
        ),
        pytest.param(
            "https://[2606:4700::1111]/x",
            Target(is_encrypted=True, host="2606:4700::1111", port=443, path="/x"),
            id="IPv6",
        ),
        pytest.param(
            "https://me:p%40ss@example.com/x",
            Target(is_encrypted=True, host="example.com", port=443, path="/x", authorization="Basic bWU6cEBzcw=="),
            id="user and password",
        ),
    ],
)
def test_a_url_is_taken_apart(url: str, target: Target) -> None:
    assert parse_url(url, ["https", "http"]) == target


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("  ", "cannot be empty or just whitespace"),
        ("http://example.com", "Invalid webhook URL scheme: 'http'. Allowed schemes are: https."),
        ("file:///etc/passwd", "Invalid webhook URL scheme: 'file'"),
        ("example.com/hook", "Invalid webhook URL scheme: ''"),
        ("https:///hook", "must include a hostname"),
        ("https://[::1", "Invalid webhook URL"),
        ("https://example.com:99999/", "Invalid webhook URL"),
        ("https://example.com/a b", "white space or control characters"),
        ("https://example.com/\r\nX: y", "white space or control characters"),
        (f"https://{'a' * 64}.com/", "cannot be written in DNS"),
        ("https://[fe80::1%25eth0]/", "percent sign"),
    ],
)
def test_what_is_not_one_is_refused(url: str, message: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        parse_url(url, ["https"])
    assert message in refusal.value.message
