"""The tracking server behind this one, as the edge uses it."""

from typing import Final

from tracking_server.errors import TemporarilyUnavailable
from tracking_server.gateway.addresses import Databricks, parse_backend
from tracking_server.gateway.calls import Asked, Call
from tracking_server.gateway.failures import UpstreamUnavailable
from tracking_server.gateway.line import Line
from tracking_server.gateway.options import GatewayOptions

_LOGIN_REFUSED: Final = frozenset({401, 403})
_FIRST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 2.0


class Upstream:
    """`pseudonym`: by what this server knows a call that comes back to it. Raises ConfigInvalid.

    Nothing is connected to before the first call, so a server may start before the one behind it.
    """

    def __init__(self, uri: str, options: GatewayOptions, *, pseudonym: str) -> None:
        backend = parse_backend(uri)
        self.pseudonym: Final = pseudonym
        self._line = Line(backend, options)
        self._seconds = float(options.timeout_seconds)
        self._max_retries = options.max_retries
        # A workspace of Databricks has no /health, but answers for any experiment, also for one that is not there.
        self._check_target = (
            "/api/2.0/mlflow/experiments/get?experiment_id=0" if isinstance(backend, Databricks) else "/health"
        )

    @property
    def name(self) -> str:
        return self._line.name

    def call(self, asked: Asked) -> Call:
        """Whoever makes one ends it."""
        return Call(self._line, asked, self._seconds)

    def wait_before(self, attempt: int, error: UpstreamUnavailable, asked: Asked) -> float | None:
        """Seconds until the call is tried again, `attempt` counted from 0; None when it is not."""
        if attempt >= self._max_retries or error.was_slow or (error.may_have_arrived and not asked.is_repeatable):
            return None
        return min(_FIRST_WAIT_SECONDS * 2.0**attempt, _LONGEST_WAIT_SECONDS)

    def check(self) -> None:
        """Raises TemporarilyUnavailable when the other server cannot work, or does not let this one in."""
        call = self.call(Asked(method="GET", target=self._check_target))
        try:
            answer = call.ask(None)
        finally:
            call.end()
        if answer.status in _LOGIN_REFUSED:
            raise TemporarilyUnavailable(
                f"The tracking server at {self.name} refuses the login of this server ({answer.status})."
            )
        if answer.status >= 500:
            raise TemporarilyUnavailable(f"The tracking server at {self.name} answers with {answer.status}.")

    def close(self) -> None:
        self._line.close()
