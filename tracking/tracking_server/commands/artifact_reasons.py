"""The word for what is wrong with a store, as reports and the conditions of a TrackingServer use it."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from tracking_server.artifacts.store import (
    BucketMissing,
    ClockSkewed,
    RegionWrong,
    StoreDenied,
    StoreMisconfigured,
    StoreUntrusted,
)
from tracking_server.errors import ArtifactStoreFailed, CommandFailed, ConfigInvalid, InvalidParameter, TrackingError

UNREACHABLE: Final = "ArtifactStoreUnreachable"
_REASONS: Final[tuple[tuple[type[TrackingError], str], ...]] = (
    (ClockSkewed, "SkewedClock"),
    (StoreDenied, "AccessDenied"),
    (StoreUntrusted, "TLSFailed"),
    (RegionWrong, "WrongRegion"),
    (BucketMissing, "NoSuchBucket"),
    (StoreMisconfigured, "StoreMisconfigured"),
)
"""The first that fits; anything else is a store that cannot be reached."""


def failure_of(error: TrackingError) -> CommandFailed:
    if isinstance(error, InvalidParameter):
        return ConfigInvalid(error.message)
    reason = next((name for kind, name in _REASONS if isinstance(error, kind)), UNREACHABLE)
    return ArtifactStoreFailed(error.message, reason)


@contextmanager
def told_apart() -> Generator[None]:
    """What a store raises, as the end of a command."""
    try:
        yield
    except TrackingError as error:
        raise failure_of(error) from error
