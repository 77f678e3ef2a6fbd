"""The settings of gunicorn from ours, and the process that it runs with them.

gunicorn keeps the workers; each is a uvicorn server on uvloop and httptools. The application is loaded once, before
the workers are forked, and then frozen out of the garbage collector's sight, so that they share its memory.
"""

import asyncio
import contextlib
import gc
import io
import logging
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.glogging import Logger
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn_worker import UvicornWorker

from tracking_server.errors import ConfigInvalid
from tracking_server.settings import Settings

GRACE_SECONDS: Final = 25
"""For what is under way when the server is told to stop: below the 30 seconds that Kubernetes waits."""

HEAD_LIMIT_BYTES: Final = 64 * 1024
HEAD_SECONDS: Final = 60.0

_RESERVED: Final = frozenset(
    {"bind", "workers", "worker_class", "threads", "preload_app", "reload", "daemon", "wsgi_app", "config"}
)
"""Settings of gunicorn that are ours to decide, or that our worker has no use for."""

_NEEDED_BY_WORKERS: Final = ("uvicorn.lifespan.on", "uvicorn.loops.uvloop")
"""uvicorn loads them when it runs: too late for the workers to share them."""

_GARBAGE_THRESHOLDS: Final = (50_000, 20, 100)
"""Reading a thousand runs makes as many objects: with the default thresholds, half of the time goes into looking."""

logger = logging.getLogger(__name__)


class BoundedProtocol(HttpToolsProtocol):
    """HTTP whose requests have to begin in bounded time and space: the parser itself would wait and grow for ever."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._is_in_head = True
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """What a read brings is parsed first: it may be a short head and much of a body."""
        self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > HEAD_LIMIT_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begin_head()

    def on_headers_complete(self) -> None:
        self._end_head()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_head = True
        self._head_bytes = 0
        super().on_message_complete()

    def _begin_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _end_head(self) -> None:
        self._is_in_head = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()


class Worker(UvicornWorker):
    """uvicorn without what it would do a second time: access log, proxy headers, WebSockets."""

    CONFIG_KWARGS: dict[str, Any] = {  # noqa: RUF012 - as the class above declares it
        "loop": "uvloop",
        "http": BoundedProtocol,
        "ws": "none",
        "lifespan": "on",
        "interface": "asgi3",
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "timeout_graceful_shutdown": GRACE_SECONDS - 3,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("uvicorn.error", "uvicorn.access"):
            _leave_to_root(name)

    def init_signals(self) -> None:
        """A terminal sends Ctrl-C to the workers too; ending them is for the process above them to order."""
        super().init_signals()
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class RootLogger(Logger):
    """gunicorn's own lines go where all others go."""

    def setup(self, cfg: Config) -> None:  # noqa: ARG002 - gunicorn's signature
        self.loglevel = logging.WARNING
        for name in ("gunicorn.error", "gunicorn.access"):
            _leave_to_root(name)
        self.error_log.setLevel(logging.WARNING)


def _leave_to_root(name: str) -> None:
    log = logging.getLogger(name)
    log.handlers.clear()
    log.propagate = True
    log.setLevel(logging.WARNING)


def gunicorn_settings(settings: Settings, *, worker_tmp_dir: str) -> dict[str, object]:
    """All that we set. Raises ConfigInvalid for options of the user that gunicorn does not know."""
    return {
        "bind": f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}",
        "workers": settings.workers,
        "worker_class": Worker,
        "logger_class": RootLogger,
        "preload_app": True,
        "timeout": 60,
        "graceful_timeout": GRACE_SECONDS,
        "keepalive": 75,
        "control_socket_disable": True,
        "worker_tmp_dir": worker_tmp_dir,
        **_users_options(settings.gunicorn_options),
    }


def worker_tmp_dir(candidates: Iterable[str]) -> str:
    """Where the heartbeat files of workers go: the first folder that can be written, memory before disk."""
    for candidate in candidates:
        if Path(candidate).is_dir() and os.access(candidate, os.W_OK | os.X_OK):
            return candidate
    raise ConfigInvalid("No folder for temporary files can be written. Set TMPDIR to one that can.")


def _users_options(text: str) -> dict[str, object]:
    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told):
            given = vars(Config().parser().parse_args(shlex.split(text)))
    except ValueError as error:  # from shlex
        _refuse(str(error))
    except SystemExit:  # how a parser of arguments refuses them
        _refuse(told.getvalue().strip().rpartition("error: ")[2])
    options = {name: value for name, value in given.items() if value is not None and (name != "args" or value)}
    for name in _RESERVED & options.keys() | options.keys() & {"args"}:
        _refuse(f"{name} cannot be set here")
    return options


def _refuse(message: str) -> NoReturn:
    raise ConfigInvalid(f"--gunicorn-opts: {message}.")


class _Server(BaseApplication):
    def __init__(self, load: Callable[[], object], options: Mapping[str, object]) -> None:
        self._load = load
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> object:
        return self._load()


def serve(load: Callable[[], object], options: Mapping[str, object], announce: Callable[[str], None]) -> NoReturn:
    """Serves what `load` returns until a signal ends it. `announce` gets the URL once the port is bound."""

    def when_ready(arbiter: Arbiter) -> None:
        announce(str(arbiter.LISTENERS[0]))
        for module in _NEEDED_BY_WORKERS:
            import_module(module)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GARBAGE_THRESHOLDS)

    _Server(load, {**options, "when_ready": when_ready}).run()
    sys.exit(0)
