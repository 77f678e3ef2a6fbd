"""The headers with which a file is sent: its type, its name, and what keeps a browser from running it; pure."""

import re
import unicodedata
from mimetypes import MimeTypes
from typing import Final
from urllib.parse import quote

from tracking_server.artifacts.paths import name_of
from tracking_server.web.responses import Headers

_TEXT_EXTENSIONS: Final = frozenset(
    {"txt", "log", "err", "cfg", "conf", "cnf", "cf", "ini", "properties", "prop", "hocon", "toml", "yaml", "yml"}
    | {"xml", "json", "js", "py", "py3", "csv", "tsv", "md", "rst", "ipynb"}
)
_TEXT_NAMES: Final = frozenset({"MLmodel", "MLproject", "mlproject"})
_UNKNOWN: Final = "application/octet-stream"
_TYPES: Final = MimeTypes()
"""The list in Python alone: what a machine has in /etc would make the answer differ from host to host."""

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_QUOTABLE = re.compile(r"[ -~]*")
"""ASCII that can be printed: a control character would end the header, quoted or not."""


def media_type(key: str) -> str:
    name = name_of(key)
    extension = name.rpartition(".")[2] if "." in name else ""
    if name in _TEXT_NAMES or extension in _TEXT_EXTENSIONS:
        return "text/plain"
    guessed, encoding = _TYPES.guess_type(name)
    return _UNKNOWN if guessed is None or encoding is not None else guessed


def attachment_headers(key: str) -> Headers:
    return (
        (b"content-type", media_type(key).encode()),
        (b"content-disposition", f"attachment; {_filename(name_of(key))}".encode()),
        (b"content-security-policy", b"sandbox"),
    )


def _filename(name: str) -> str:
    """RFC 6266. A name beyond ASCII comes twice, in ASCII for those who read no other."""
    if _TOKEN.fullmatch(name):
        return f"filename={name}"
    if _QUOTABLE.fullmatch(name):
        return f"filename={_quoted(name)}"
    decomposed = unicodedata.normalize("NFKD", name)
    plain = "".join(character for character in decomposed if _QUOTABLE.fullmatch(character)) or "download"
    return f"filename={plain if _TOKEN.fullmatch(plain) else _quoted(plain)}; filename*=UTF-8''{quote(name, safe='')}"


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
