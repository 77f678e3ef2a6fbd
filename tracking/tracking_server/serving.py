"""The settings of gunicorn from ours, and the process that it runs with them.

gunicorn keeps the workers; each is a uvicorn server on uvloop and httptools. The application is loaded once, before
the workers are forked, and then frozen out of the garbage collector's sight, so that they share its memory.
"""

import contextlib
import ctypes
import gc
import io
import logging
import os
import resource
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.glogging import Logger
from uvicorn_worker import UvicornWorker

from tracking_server.connections import ConnectionLimits, Connections
from tracking_server.errors import ConfigInvalid
from tracking_server.settings import Settings

GRACE_SECONDS: Final = 25
"""For what is under way when the server is told to stop: below the 30 seconds that Kubernetes waits."""

DESCRIPTORS_FOR_OTHERS: Final = 256
"""Of the files that a process may have open: those that are no connections of clients."""

_RESERVED: Final = frozenset(
    {"bind", "workers", "worker_class", "threads", "preload_app", "reload", "daemon", "wsgi_app", "config"}
)
"""Settings of gunicorn that are ours to decide, or that our worker has no use for."""

_NEEDED_BY_WORKERS: Final = ("uvicorn.lifespan.on", "uvicorn.loops.uvloop")
"""uvicorn loads them when it runs: too late for the workers to share them."""

_GARBAGE_THRESHOLDS: Final = (50_000, 20, 100)
"""Reading a thousand runs makes as many objects: with the default thresholds, half of the time goes into looking."""

_MALLOC_OPTIONS: Final = ((-1, 16 * 1024 * 1024), (-3, 4 * 1024 * 1024))
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of <malloc.h>, well above our chunks."""

logger = logging.getLogger(__name__)


class Worker(UvicornWorker):
    """uvicorn without what it would do a second time: access log, proxy headers, WebSockets."""

    CONFIG_KWARGS: dict[str, Any] = {  # noqa: RUF012 - as the class above declares it
        "loop": "uvloop",
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


def _worker_with(settings: Settings) -> type[Worker]:
    limits = ConnectionLimits(
        connections=_connections_that_fit(settings.max_connections),
        head_seconds=settings.head_timeout_seconds,
        idle_seconds=settings.idle_timeout_seconds,
    )

    class BoundedWorker(Worker):
        CONFIG_KWARGS: dict[str, Any] = {**Worker.CONFIG_KWARGS, "http": Connections(limits)}  # noqa: RUF012 - as above

    return BoundedWorker


def _connections_that_fit(wanted: int) -> int:
    """A connection is an open file: as many as wanted, or as the hard limit of the process has room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = hard if hard != resource.RLIM_INFINITY else wanted + DESCRIPTORS_FOR_OTHERS
    if soft < (needed := min(wanted + DESCRIPTORS_FOR_OTHERS, most)):
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    return max(1, min(wanted, most - DESCRIPTORS_FOR_OTHERS))


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
        "worker_class": _worker_with(settings),
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


class _ImpatientArbiter(Arbiter):
    """The process above the workers. Told to stop a second time, it lets nothing finish."""

    _is_stopping = False

    def stop(self, graceful: bool = True) -> None:
        self._is_stopping = True
        super().stop(graceful)

    def signal(self, sig: int, frame: FrameType | None) -> None:
        if self._is_stopping and sig in {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}:
            self.kill_workers(signal.SIGKILL)
        super().signal(sig, frame)


def _keep_freed_memory() -> None:
    """glibc gives large blocks back as soon as they are free, and the kernel clears new ones for the next chunk of a
    file or the next answer: that is a third of the work of an upload."""
    with contextlib.suppress(OSError, AttributeError):  # another C library, with ways of its own
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in _MALLOC_OPTIONS:
            mallopt(parameter, value)


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

    def run(self) -> None:
        _ImpatientArbiter(self).run()


def serve(load: Callable[[], object], options: Mapping[str, object], announce: Callable[[str], None]) -> NoReturn:
    """Serves what `load` returns until a signal ends it. `announce` gets the URL once the port is bound."""

    def when_ready(arbiter: Arbiter) -> None:
        announce(str(arbiter.LISTENERS[0]))
        for module in _NEEDED_BY_WORKERS:
            import_module(module)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GARBAGE_THRESHOLDS)
        _keep_freed_memory()

    _Server(load, {**options, "when_ready": when_ready}).run()
    sys.exit(0)
