"""Bytes that two servers behind one another could read as different requests: at most one answer, and no success.

Behind each stands a request for /smuggled, which must never be answered as one of its own.
"""

from typing import Final

_POST: Final = (
    b"POST /api/2.0/mlflow/experiments/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
)
_NEXT: Final = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

SHAPES: Final = {
    "length and chunked": _POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + _NEXT,
    "chunked and length": _POST + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n" + _NEXT,
    "two lengths": _POST + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}" + _NEXT,
    "a list of lengths": _POST + b"Content-Length: 2, 40\r\n\r\n{}" + _NEXT,
    "a signed length": _POST + b"Content-Length: +2\r\n\r\n{}" + _NEXT,
    "a negative length": _POST + b"Content-Length: -1\r\n\r\n{}" + _NEXT,
    "a hexadecimal length": _POST + b"Content-Length: 0x2\r\n\r\n{}" + _NEXT,
    "a length beyond all": _POST + b"Content-Length: 99999999999999999999999\r\n\r\n{}" + _NEXT,
    "a length of another script": _POST + "Content-Length: \u0662\r\n\r\n{}".encode() + _NEXT,
    "space before the colon": _POST + b"Content-Length : 2\r\n\r\n{}" + _NEXT,
    "a folded length": _POST + b"Content-Length:\r\n 2\r\n\r\n{}" + _NEXT,
    "chunked twice": _POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + _NEXT,
    "chunked not last": _POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n" + _NEXT,
    "unknown coding": _POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + _NEXT,
    "a tab before chunked": _POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + _NEXT,
    "a chunk of a negative size": _POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n0\r\n\r\n" + _NEXT,
    "a chunk size beyond all": _POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff0\r\n" + _NEXT,
    "a chunk that ends elsewhere": _POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}x\r\n0\r\n\r\n" + _NEXT,
    "a bare line feed": b"GET /health HTTP/1.1\nHost: localhost\n\n" + _NEXT,
    "a bare carriage return": b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\rContent-Length: 40\r\n\r\n" + _NEXT,
    "a NUL in a header": b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n" + _NEXT,
    "a header without a name": b"GET /health HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n" + _NEXT,
    "a header without a colon": b"GET /health HTTP/1.1\r\nHost: localhost\r\nX\r\n\r\n" + _NEXT,
    "a space in the path": b"GET /health /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n" + _NEXT,
    "a version of the future": b"GET /health HTTP/7.3\r\nHost: localhost\r\n\r\n" + _NEXT,
    "no version": b"GET /health\r\n\r\n" + _NEXT,
    "two hosts": b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n" + _NEXT,
    "a line of nothing but spaces": b"GET /health HTTP/1.1\r\nHost: localhost\r\n \r\n\r\n" + _NEXT,
    "a method that is none": b"G\xe9T /health HTTP/1.1\r\nHost: localhost\r\n\r\n" + _NEXT,
}
