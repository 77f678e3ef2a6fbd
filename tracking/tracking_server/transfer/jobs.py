"""Many transfers, a few at a time: what went, and what did not."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final

from tracking_server.errors import TrackingError

_KEPT_FAILURES: Final = 1000
_AHEAD: Final = 4
"""Jobs that wait for each worker: enough to keep it busy, and no list of all files."""


@dataclass(frozen=True, slots=True)
class Moved:
    size_bytes: int
    is_skipped: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    work: Callable[[], Moved]


@dataclass(kw_only=True, slots=True)
class Outcome:
    files: int = 0
    size_bytes: int = 0
    skipped: int = 0
    failed: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """The first of them, each with its reason."""

    def run(self, jobs: Iterable[Job], workers: int, stop: Callable[[], None]) -> None:
        """One that fails does not keep the rest. What is no failure of a transfer ends all, and is raised."""
        under_way: dict[Future[Moved], str] = {}
        with ThreadPoolExecutor(workers, "transfer") as pool:
            try:
                for job in jobs:
                    under_way[pool.submit(job.work)] = job.name
                    if len(under_way) >= workers * _AHEAD:
                        self._collect(under_way)
                while under_way:
                    self._collect(under_way)
            except BaseException:
                stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _collect(self, under_way: dict[Future[Moved], str]) -> None:
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for each in done:
            self._collected(under_way.pop(each), each)

    def _collected(self, name: str, done: Future[Moved]) -> None:
        try:
            moved = done.result()
        except (TrackingError, OSError) as error:
            self.failed += 1
            if len(self.failures) < _KEPT_FAILURES:
                self.failures.append((name, _reason(error)))
            return
        self.files += not moved.is_skipped
        self.size_bytes += 0 if moved.is_skipped else moved.size_bytes
        self.skipped += moved.is_skipped


def _reason(error: TrackingError | OSError) -> str:
    if isinstance(error, TrackingError):
        return error.message
    return f"{error.filename}: {error.strerror}" if error.strerror else str(error)
