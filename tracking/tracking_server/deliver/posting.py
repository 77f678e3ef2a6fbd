"""One POST to a webhook: to an address that was checked, within a time, following nobody else's directions.

The name is resolved once, every address is checked, and the connection goes to one of those: no second answer of a name
server can lead it elsewhere. The certificate and the Host header are those of the name.
"""

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tracking_server.deliver.outcomes import Answered, Reply, Stopped, Unreached
from tracking_server.deliver.resolving import AddressRule, NotAllowed, Unresolved
from tracking_server.deliver.urls import Target, parse_url
from tracking_server.errors import InvalidParameter

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection

KEPT_BYTES: Final = 4096
"""Of the body of an answer, for who asks for it; the rest is not read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Poster:
    """`ssl_context`: whom to trust; the authorities of the system when it is None."""

    schemes: Sequence[str] = ("https",)
    addresses: AddressRule = field(default_factory=AddressRule)
    timeout_seconds: float = 30.0
    ssl_context: ssl.SSLContext | None = None

    def check(self, url: str) -> None:
        """Raises InvalidParameter for what may not be sent to, as far as it is known now."""
        target = parse_url(url, self.schemes)
        if self.addresses.allows_private:
            return
        try:
            self.addresses.addresses(target.host, target.port)
        except (Unresolved, NotAllowed) as error:
            raise InvalidParameter(str(error)) from error

    def begin(self, url: str, headers: Mapping[str, str], body: bytes, *, reads_body: bool = False) -> "Post":
        return Post(self, url, headers, body, reads_body=reads_body)


class Post:
    """`send` runs once, in one thread; `stop` may come from another at any moment."""

    def __init__(self, poster: Poster, url: str, headers: Mapping[str, str], body: bytes, *, reads_body: bool) -> None:
        self._poster = poster
        self._url = url
        self._headers = headers
        self._body = body
        self._reads_body = reads_body
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._why_ended: Reply | None = None

    def send(self) -> Reply:
        """It takes the time limit at most, and a few seconds more when the name server is slow."""
        seconds = self._poster.timeout_seconds
        limit = threading.Timer(seconds, self._end, [Unreached(why=f"no answer within {seconds:g} seconds")])
        limit.daemon = True
        limit.start()
        try:
            reply = self._exchange()
        finally:
            limit.cancel()
            self._let_go()
        return self._why_ended or reply  # what was read until then may look like the end of an answer

    def stop(self) -> None:
        self._end(Stopped())

    def _end(self, why: Reply) -> None:
        """Wakes the thread that waits for the other side, in whatever it does."""
        with self._lock:
            self._why_ended = self._why_ended or why
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def _exchange(self) -> Reply:
        from urllib3.exceptions import HTTPError  # only where there are webhooks

        try:
            target = parse_url(self._url, self._poster.schemes)
            rule = self._poster.addresses
            addresses = rule.addresses(target.host, target.port, within_seconds=self._poster.timeout_seconds)
        except InvalidParameter as error:
            return Unreached(why=error.message, is_final=True)
        except NotAllowed as error:
            return Unreached(why=str(error), is_final=True)
        except Unresolved as error:
            return Unreached(why=str(error))
        try:
            return self._talk(target, addresses)
        except (HTTPError, OSError, ValueError) as error:  # ValueError: a header that cannot be written
            return Unreached(why=f"{type(error).__name__}: {error}")

    def _talk(self, target: Target, addresses: Sequence[str]) -> Answered:
        from http.client import HTTPException

        connection = self._connection(target, addresses)
        headers = {**self._headers, "Accept-Encoding": "identity", "User-Agent": "trackplane"}
        if target.authorization is not None:
            headers["Authorization"] = target.authorization
        try:
            connection.request(
                "POST", target.path, body=self._body, headers=headers, preload_content=False, decode_content=False
            )
            with contextlib.closing(connection.getresponse()) as response:  # it holds the socket as well
                return Answered(
                    status=response.status,
                    headers={name.lower(): value for name, value in response.headers.items()},
                    body=response.read(KEPT_BYTES, decode_content=False) if self._reads_body else b"",
                )
        except HTTPException as error:
            raise OSError(f"not an answer of HTTP ({type(error).__name__})") from error
        finally:
            connection.close()

    def _connection(self, target: Target, addresses: Sequence[str]) -> "HTTPConnection":
        from urllib3.connection import HTTPConnection, HTTPSConnection

        post = self

        class Pinned(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return post._connected(addresses, target.port)

        class PinnedEncrypted(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return post._connected(addresses, target.port)

        arguments: dict[str, Any] = {
            "host": target.host,
            "port": target.port,
            "timeout": self._poster.timeout_seconds,
        }
        if not target.is_encrypted:
            return Pinned(**arguments)
        context = self._poster.ssl_context or ssl.create_default_context()
        return PinnedEncrypted(**arguments, ssl_context=context, cert_reqs="CERT_REQUIRED")

    def _connected(self, addresses: Sequence[str], port: int) -> socket.socket:
        """To the first address that takes it. Raises OSError."""
        failure: OSError = OSError("no address")
        for address in addresses:
            try:
                connected = socket.create_connection((address, port), timeout=self._poster.timeout_seconds)
            except OSError as error:
                failure = error
                continue
            self._hold(connected)
            return connected
        raise failure

    def _hold(self, connected: socket.socket) -> None:
        """A handle of our own: TLS takes the first one for itself. Raises OSError when the time is up already."""
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            if self._why_ended is not None:
                connected.close()
                raise OSError("ended")
            self._socket = socket.socket(fileno=os.dup(connected.fileno()))

    def _let_go(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None
