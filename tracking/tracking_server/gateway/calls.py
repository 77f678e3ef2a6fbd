"""One call to the server behind: blocking steps, one at a time, which run in threads; and its end, from any thread."""

import logging
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Final, TypeAlias

from tracking_server.gateway.connections import Connection
from tracking_server.gateway.failures import UpstreamUnavailable, broken_off, redirects, too_slow
from tracking_server.gateway.headers import Pairs, answer_headers, with_authorization
from tracking_server.gateway.line import Line
from tracking_server.gateway.logins import Login

logger = logging.getLogger(__name__)

CHUNK_BYTES: Final = 512 * 1024
_UNAUTHENTICATED: Final = 401
_NOT_MODIFIED: Final = 304
_HTTP_1_0: Final = 10
_WITHOUT_BODY: Final = frozenset({204, _NOT_MODIFIED})
_REPEATABLE: Final = frozenset({"GET", "HEAD"})

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A call without its body. `target`: path and query, below the path of the server itself."""

    method: str
    target: str
    headers: Pairs = ()
    is_file: bool = False

    @property
    def is_repeatable(self) -> bool:
        """Whether it changes nothing."""
        return self.method in _REPEATABLE


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """`first` is the beginning of its body, all of it when `is_whole`."""

    status: int
    headers: Headers
    first: bytes = b""
    is_whole: bool = True


class AnsweredEarly(Exception):
    """The other server takes no more of the body: it has made up its mind."""


class Call:
    """Raises UpstreamUnavailable and UpstreamMisconfigured. `seconds`: what each step may take."""

    def __init__(self, line: Line, asked: Asked, seconds: float) -> None:
        self._line = line
        self._asked = asked
        self._seconds = seconds
        self._lock = threading.Lock()
        self._since: float | None = None
        self._is_over = False
        self._is_late = False
        self._connection: Connection | None = None
        self._response: HTTPResponse | None = None
        self._is_chunked = False
        self._was_refused = False
        """Not all of the body went: the connection cannot serve again, and what went has no end."""

    def ask(self, body: bytes | None) -> Answer:
        """All of the call, with a body that is here. A login that is refused is looked up once more."""
        with self._step():
            login = self._line.login()
            answer = self._asked_as(login, body)
            if answer.status != _UNAUTHENTICATED:
                return answer
            if (another := self._line.another(login)) is not None:
                self._let_go()
                answer = self._asked_as(another, body)
            if answer.status == _UNAUTHENTICATED:
                logger.warning("the server behind refuses the login", extra={"server": self._line.name})
            return answer

    def begin(self, content_length: int | None) -> None:
        """For a body that comes in parts; without a length, they are sent as chunks."""
        with self._step():
            self._is_chunked = content_length is None
            framing = ("transfer-encoding", "chunked") if content_length is None else _length(content_length)
            self._send_head(self._line.login(), [framing])

    def send(self, parts: Sequence[bytes]) -> None:
        """Raises AnsweredEarly."""
        with self._step():
            http = self._connected().http
            try:
                for part in filter(None, parts):
                    http.send(b"%x\r\n%b\r\n" % (len(part), part) if self._is_chunked else part)
            except (BrokenPipeError, ConnectionResetError):
                self._was_refused = True
                raise AnsweredEarly from None

    def finish(self) -> Answer:
        """When the body was sent. One that was answered early has no end."""
        with self._step():
            if self._is_chunked and not self._was_refused:
                self._send_all(b"0\r\n\r\n")
            return self._answer()

    def read(self) -> bytes:
        """The next part of the body of the answer; empty at its end."""
        with self._step():
            return self._read()

    def is_overdue(self, now: float) -> bool:
        with self._lock:
            return self._since is not None and now - self._since > self._seconds

    def expire(self) -> None:
        """Ends it as too slow."""
        self._is_late = True
        self.end()

    def end(self) -> None:
        """Lets go of the connection, as soon as the step under way has noticed. May come more than once."""
        with self._lock:
            self._is_over = True
            if self._since is not None:
                if self._connection is not None:
                    self._connection.wake()
                return
        self._let_go()

    @contextmanager
    def _step(self) -> Generator[None]:
        with self._lock:
            if self._is_over:
                raise self._failure(ConnectionAbortedError())
            self._since = time.monotonic()
        try:
            yield
            if self._is_over:  # whoever wakes a thread makes what it reads look like the end
                raise ConnectionAbortedError
        except (OSError, HTTPException, ValueError) as error:  # http.client has all of them for what it cannot read
            self._is_over = True
            raise self._failure(error) from error
        finally:
            with self._lock:
                self._since = None
                is_over = self._is_over
            if is_over:
                self._let_go()

    def _failure(self, error: OSError | HTTPException | ValueError) -> UpstreamUnavailable:
        if self._is_late:
            return too_slow(self._line.name, self._seconds)
        return broken_off(error, self._line.name, self._seconds)

    def _asked_as(self, login: Login, body: bytes | None) -> Answer:
        self._send_head(login, [] if body is None else [_length(len(body))])
        if body:
            self._send_all(body)
        return self._answer()

    def _send_all(self, content: bytes) -> None:
        """The answer says why, where it is not taken."""
        try:
            self._connected().http.send(content)
        except (BrokenPipeError, ConnectionResetError):
            self._was_refused = True

    def _send_head(self, login: Login, framing: Pairs) -> None:
        connection = self._line.connect(login.address)
        with self._lock:
            self._connection = connection
            if self._is_over:
                raise ConnectionAbortedError
        http = connection.http
        http.putrequest(self._asked.method, f"{login.address.path}{self._asked.target}", skip_accept_encoding=True)
        for name, value in (*with_authorization(self._asked.headers, login.authorization), *framing):
            http.putheader(name, value)
        http.endheaders()

    def _answer(self) -> Answer:
        connection = self._connected()
        connection.expect_answer()
        self._response = response = connection.http.getresponse()
        status = response.status
        if not 200 <= status < 600 or not _has_an_end(response):
            raise HTTPException
        if 300 <= status < 400 and status != _NOT_MODIFIED:
            raise redirects(status, self._line.name)
        headers = answer_headers(response.getheaders(), is_file=self._asked.is_file and status < 300)
        if self._asked.method == "HEAD" or status in _WITHOUT_BODY:
            response.read()
            length = response.getheader("content-length", "") if status not in _WITHOUT_BODY else ""
            return Answer(status=status, headers=headers + (_told_length(length) if length.isdecimal() else ()))
        total = response.length
        first = self._read()
        is_whole = response.isclosed()
        length = str(len(first) if is_whole else total) if is_whole or total is not None else ""
        return Answer(status=status, headers=headers + _told_length(length), first=first, is_whole=is_whole)

    def _read(self) -> bytes:
        response = self._response
        if response is None or response.isclosed():
            return b""
        part = response.read(CHUNK_BYTES)
        if len(part) < CHUNK_BYTES and response.length:
            raise ConnectionResetError  # before the end that it had told
        return part

    def _connected(self) -> Connection:
        if self._connection is None:
            raise ConnectionAbortedError
        return self._connection

    def _let_go(self) -> None:
        """A connection serves again when all of its answer was read."""
        with self._lock:
            connection, self._connection = self._connection, None
            response, self._response = self._response, None
        if connection is None:
            return
        was_answered = response is not None and response.isclosed()
        is_good = was_answered and not self._was_refused and connection.http.sock is not None
        if response is not None:
            response.close()
        if is_good:
            self._line.keep(connection)
        else:
            connection.close()


def _has_an_end(response: HTTPResponse) -> bool:
    """Without a length it ends with the connection, and must say so: a head that was cut off does not."""
    if response.chunked or response.length is not None or response.version == _HTTP_1_0:
        return True
    return "close" in response.getheader("connection", "").lower()


def _length(count: int) -> tuple[str, str]:
    return "content-length", str(count)


def _told_length(length: str) -> Headers:
    return ((b"content-length", length.encode()),) if length else ()
