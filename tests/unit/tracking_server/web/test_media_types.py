import pytest

from tracking_server.web.media_types import attachment_headers, media_type


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("MLmodel", "text/plain"),
        ("a/b/MLproject", "text/plain"),
        ("MLmodel.html", "text/html"),
        ("requirements.txt", "text/plain"),
        ("x.tar.yaml", "text/plain"),
        ("report.HTML", "text/html"),
        ("plot.svg", "image/svg+xml"),
        ("archive.tar.gz", "application/octet-stream"),
        ("json", "application/octet-stream"),
        ("dir.json/weights", "application/octet-stream"),
        (".yaml", "text/plain"),
    ],
)
def test_media_type(key: str, expected: str) -> None:
    assert media_type(key) == expected


@pytest.mark.parametrize(
    ("key", "disposition"),
    [
        ("a/b.txt", "attachment; filename=b.txt"),
        ("a b.txt", "attachment; filename*=UTF-8''a%20b.txt"),
        ('q".txt', "attachment; filename*=UTF-8''q%22.txt"),
        ("größe", "attachment; filename*=UTF-8''gr%C3%B6%C3%9Fe"),
        ("x;y=z", "attachment; filename*=UTF-8''x%3By%3Dz"),
    ],
)
def test_a_file_is_an_attachment_under_its_own_name(key: str, disposition: str) -> None:
    headers = dict(attachment_headers(key))
    assert headers[b"content-disposition"].decode() == disposition
    assert headers[b"content-security-policy"] == b"sandbox"
