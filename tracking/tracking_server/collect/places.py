"""Where the artifacts of something to remove are, and whether they are its own: nothing else is ever deleted."""

from collections.abc import Sequence
from pathlib import Path

from tracking_server.artifacts.open_store import open_store
from tracking_server.artifacts.paths import InvalidPath
from tracking_server.artifacts.roots import Root, parse_location, place_of
from tracking_server.artifacts.store import Place

_FOLDER = "artifacts"


class OutOfReach(Exception):
    """`reason` says why nothing there may be deleted."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def own_folder(uri: str, item_id: str, experiment_location: str, roots: Sequence[Root]) -> Place | None:
    """The folder that is called as the run, model or trace, in which it has its `artifacts`. None when it has none.

    A folder of the machine is in reach when a root of the server holds it, or the experiment is recorded to be there.
    Raises OutOfReach.
    """
    if not uri:
        return None
    location = parse_location(uri)
    if location is None:
        raise OutOfReach(f"{uri} has a query or a fragment")
    if not location.origin and not uri.startswith(("/", "file:")):
        raise OutOfReach(f"{uri} is relative to a folder that is not known")
    try:
        place = place_of(uri, (*roots, *_recorded_root(experiment_location)))
    except InvalidPath as error:
        raise OutOfReach(str(error)) from error
    if place is None:
        raise OutOfReach(f"{uri} is in no store that this command was given")
    folder = f"{item_id}/{_FOLDER}"
    if place.key != folder and not place.key.endswith(f"/{folder}"):
        raise OutOfReach(f"{uri} is not called as what it belongs to")
    return Place(store=place.store, key=place.key.removesuffix(f"/{_FOLDER}"))


def _recorded_root(experiment_location: str) -> Sequence[Root]:
    """Of an experiment on the file system, its folder."""
    location = parse_location(experiment_location)
    if location is None or location.origin or not location.path or not experiment_location.startswith(("/", "file:")):
        return ()
    return (Root(location=location, store=open_store(experiment_location, Path("/"))),)
