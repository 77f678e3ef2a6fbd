import pytest

from tracking_server.web.media_types import attachment_headers, media_type


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("MLmodel", "text/plain"),
        ("a/b/MLproject", "text/plain"),
        ("mlproject", "text/plain"),
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
        ("dog+step+20.png", "attachment; filename=dog+step+20.png"),
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ('q"\\.txt', 'attachment; filename="q\\"\\\\.txt"'),
        ("x;y=z", 'attachment; filename="x;y=z"'),
        ("größe", "attachment; filename=groe; filename*=UTF-8''gr%C3%B6%C3%9Fe"),
        ("größe 1", "attachment; filename=\"groe 1\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%201"),
        ("测试", "attachment; filename=download; filename*=UTF-8''%E6%B5%8B%E8%AF%95"),
        ("a\r\nb: c", "attachment; filename=\"ab: c\"; filename*=UTF-8''a%0D%0Ab%3A%20c"),
    ],
)
def test_a_file_is_an_attachment_under_its_own_name(key: str, disposition: str) -> None:
    headers = dict(attachment_headers(key))
    assert headers[b"content-disposition"].decode() == disposition
    assert headers[b"content-security-policy"] == b"sandbox"
