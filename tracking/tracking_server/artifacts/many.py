"""Many calls at once, for stores that take no call for many objects."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tracking_server.artifacts.bucket import FoundObject
from tracking_server.artifacts.store import ArtifactNotFound, Leftover
from tracking_server.errors import TemporarilyUnavailable, TrackingError

_THREADS: Final = 16


def leftover_of(name: str, error: TrackingError) -> Leftover:
    return Leftover(key=name, reason=error.message, is_lasting=not isinstance(error, TemporarilyUnavailable))


def delete_each(objects: Sequence[FoundObject], delete: Callable[[str], None]) -> Sequence[Leftover]:
    """What could not be deleted. `delete` raises the errors of `store`."""

    def attempt(found: FoundObject) -> Leftover | None:
        try:
            delete(found.name)
        except ArtifactNotFound:
            return None
        except TrackingError as error:
            return leftover_of(found.name, error)
        return None

    if len(objects) == 1:
        results = [attempt(objects[0])]
    else:
        with ThreadPoolExecutor(min(_THREADS, max(len(objects), 1)), "artifacts-delete") as pool:
            results = list(pool.map(attempt, objects))
    return tuple(leftover for leftover in results if leftover is not None)
