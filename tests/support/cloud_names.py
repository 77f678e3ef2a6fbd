"""The names of the clouds, answered by emulators: a proxy for HTTPS that ends the TLS and passes the calls on.

Programs find it as they find any proxy, by HTTPS_PROXY, and trust it by the variables for a private authority. So they
run with the names and addresses that a user has.
"""

import json
import ssl
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.certificates import write_key_and_certificate
from tests.support.faulty_proxy import Answer, Call, FaultyProxy, ProxyHandler, Treatment
from tests.support.threaded import threaded_server

TOKENS_HOST = "oauth2.googleapis.com"


@contextmanager
def cloud_names(
    folder: Path, upstreams: Mapping[str, str], answers: Mapping[str, Callable[[Call], Treatment]] | None = None
) -> Generator[Mapping[str, str]]:
    """The environment of whoever is to meet these hosts. Google's tokens are given to everybody."""
    answering = {TOKENS_HOST: _give_token, **(answers or {})}
    certificate = write_key_and_certificate(folder / "clouds.pem", hosts=[*upstreams, *answering])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    hosts = {host: FaultyProxy(upstream=upstream) for host, upstream in upstreams.items()}
    hosts |= {host: FaultyProxy(upstream="", treat=answer) for host, answer in answering.items()}

    class Handler(ProxyHandler):
        def do_CONNECT(self) -> None:  # noqa: N802 - the name that it looks for
            self.faults = hosts[self.path.partition(":")[0]]
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", buffering=0)
            self.close_connection = False

        def finish(self) -> None:
            with suppress(OSError):
                super().finish()
            self.connection.close()

    with threaded_server() as server:
        server.RequestHandlerClass = Handler
        url = f"http://127.0.0.1:{server.server_port}"
        trust = {name: str(certificate) for name in ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")}
        yield {"HTTPS_PROXY": url, "https_proxy": url, "NO_PROXY": "", "no_proxy": "", **trust}


def _give_token(_: Call) -> Treatment:
    return Answer(
        status=200, body=json.dumps({"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}).encode()
    )
