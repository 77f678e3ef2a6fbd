import string
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_server.artifacts.paths import InvalidPath, join, name_of, parse_folder, parse_key


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "1/0123456789abcdef/artifacts/model/MLmodel",
        "with space/größe/测试/🎉.txt",
        "100%.csv",
        "%zz",
        "ab:c/d:e",
        "...",
        "..a/a..",
        ".hidden",
        "C",
        "x" * 255,
        "filed/file",
        "~/x",
        "?q=1&r=2;p",
    ],
)
def test_what_a_client_legitimately_sends_is_a_key(path: str) -> None:
    assert parse_key(path) == path
    assert parse_folder(path) == path


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("../a", id="parent"),
        pytest.param("a/..", id="parent-at-the-end"),
        pytest.param("a/../../b", id="parent-inside"),
        pytest.param("./a", id="dot"),
        pytest.param("a/./b", id="dot-inside"),
        pytest.param("/etc/passwd", id="absolute"),
        pytest.param("//proc/self/root", id="two-slashes"),
        pytest.param("a//b", id="empty-segment"),
        pytest.param("a//", id="two-slashes-at-the-end"),
        pytest.param("/", id="slash"),
        pytest.param("..\\..\\windows", id="backslash"),
        pytest.param("\\\\host\\share", id="unc"),
        pytest.param("C:/windows", id="drive"),
        pytest.param("c:windows", id="drive-relative"),
        pytest.param("C:\\windows", id="drive-backslash"),
        pytest.param("file:///etc/passwd", id="file-uri"),
        pytest.param("FILE:etc", id="file-uri-short"),
        pytest.param("http://host/x", id="uri"),
        pytest.param("%2e%2e/a", id="encoded-parent"),
        pytest.param("%252e%252e/a", id="encoded-twice"),
        pytest.param("a%2Fb", id="encoded-slash"),
        pytest.param("a%00b", id="encoded-nul"),
        pytest.param("a\0b", id="nul"),
        pytest.param("a\nb", id="newline"),
        pytest.param("a\x7fb", id="delete"),
        pytest.param("a\x85b", id="c1-control"),
        pytest.param("a#b", id="fragment"),
        pytest.param("a/\ud800", id="lone-surrogate"),
        pytest.param("x" * 256, id="long-segment"),
        pytest.param("ö" * 128, id="long-segment-in-bytes"),
        pytest.param("/".join(["x" * 200] * 20), id="long-key"),
        pytest.param("/".join(["d"] * 129), id="many-segments"),
        pytest.param("a/.artifact.uploading.0123", id="unfinished-upload"),
    ],
)
def test_what_is_not_a_plain_relative_path_is_refused(path: str) -> None:
    for parse in (parse_key, parse_folder):
        with pytest.raises(InvalidPath, match=r"^Invalid path"):
            parse(path)


@pytest.mark.parametrize("path", ["../a", "a/./b", "/a", "C:/a", "file:///a", "a%2e%2e/b"])
def test_a_client_hears_of_what_leads_out_what_mlflow_says(path: str) -> None:
    with pytest.raises(InvalidPath, match=r"^Invalid path '.*': it ") as caught:
        parse_folder(path)
    assert caught.value.message == "Invalid path"


def test_a_folder_may_be_the_root_and_may_end_in_a_slash() -> None:
    assert parse_folder("") == ""
    assert parse_folder("1/run/") == "1/run"
    for path in ("", "1/run/"):
        with pytest.raises(InvalidPath):
            parse_key(path)


def test_the_message_shows_a_strange_path_as_plain_text() -> None:
    with pytest.raises(InvalidPath) as caught:
        parse_key("a\r\n\ud800" + "x" * 1000)
    assert caught.value.message.isascii()
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 400


@given(st.text(alphabet=[*"./\\%:#\0\n 2eEfF5c", *string.ascii_letters], max_size=40))
def test_a_key_stays_below_any_root_however_it_is_read(path: str) -> None:
    try:
        key = parse_folder(path)
    except InvalidPath:
        return
    segments = key.split("/") if key else []
    assert all(segment not in {"", ".", ".."} for segment in segments)
    assert not set(key) & set("\\\0\n#")
    assert parse_folder(key) == key
    assert unquote(key) == key


def test_join_and_name() -> None:
    assert join("a/b", "c") == "a/b/c"
    assert join("", "c") == "c"
    assert join("a", "") == "a"
    assert name_of("a/b/c") == "c"
    assert name_of("c") == "c"
