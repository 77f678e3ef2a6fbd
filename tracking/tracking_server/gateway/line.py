"""The way to the server behind: its login as it is now, its certificates, and connections."""

import ssl
from typing import Final

from tracking_server.errors import ConfigInvalid
from tracking_server.gateway.addresses import Address, Backend
from tracking_server.gateway.connections import Connection, IdleConnections
from tracking_server.gateway.failures import not_connected
from tracking_server.gateway.logins import Login, watched_login
from tracking_server.gateway.options import GatewayOptions
from tracking_server.gateway.watched import Watched

_CONNECT_SECONDS: Final = 10.0


class Line:
    """Threads share it. Made before a fork and used behind it. Raises ConfigInvalid."""

    def __init__(self, backend: Backend, options: GatewayOptions) -> None:
        self._login = watched_login(backend, options)
        files = [options.authorities_file, options.client_certificate_file]
        self._tls = Watched(lambda: _tls(options), [file for file in files if file is not None])
        self._idle = IdleConnections()
        self._step_seconds = float(options.timeout_seconds)
        self._connect_seconds = min(_CONNECT_SECONDS, self._step_seconds)

    @property
    def name(self) -> str:
        """For messages."""
        return self._login.now().address.shown

    def login(self) -> Login:
        return self._login.now()

    def another(self, refused: Login) -> Login | None:
        """What to try in place of one that was refused; None when there is nothing new."""
        now = self._login.anew()
        return now if now != refused else None

    def connect(self, address: Address) -> Connection:
        """Raises UpstreamUnavailable and UpstreamMisconfigured."""
        idle = self._idle.take(address)
        if idle is not None:
            return idle
        tls = self._tls.now() if address.scheme == "https" else None
        try:
            return Connection(address, tls, connect_seconds=self._connect_seconds, step_seconds=self._step_seconds)
        except OSError as error:
            raise not_connected(error, address.shown, self._connect_seconds) from error

    def keep(self, connection: Connection) -> None:
        self._idle.give(connection)

    def close(self) -> None:
        self._idle.close()


def _tls(options: GatewayOptions) -> ssl.SSLContext:
    file = options.authorities_file
    try:
        context = ssl.create_default_context(cafile=file)
        if (certificate := options.client_certificate_file) is not None:
            file = certificate
            context.load_cert_chain(certificate)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigInvalid(
            f"The file {file} cannot be read as certificates ({error.strerror or type(error).__name__}):"
            " MLFLOW_TRACKING_SERVER_CERT_PATH has those of authorities, MLFLOW_TRACKING_CLIENT_CERT_PATH a certificate"
            " and its key, both as PEM."
        ) from None
    if options.takes_any_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
