"""What an operation needs besides its request: the database, the artifact store, the time and random names."""

import random
import re
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tracking_server.artifacts.roots import Root
from tracking_server.artifacts.store import ArtifactStore
from tracking_server.database.transactions import Database
from tracking_server.deliver.outbound import Outbound
from tracking_server.services.names import random_name


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    database: Database
    artifact_store: ArtifactStore
    """What clients reach through the server."""
    artifact_roots: Sequence[Root] = ()
    """All places that the server may read and write."""
    default_artifact_root: str
    artifacts_destination: str = ""
    presigns: bool = False
    """Whether clients get addresses at which they read and write the store themselves."""
    presigned_download_seconds: int = 300
    allowed_host_schemes: frozenset[str] = frozenset()
    """Schemes with a host part that an artifact location may have whatever the host."""
    max_location_characters: int = 2048
    model_source_pattern: re.Pattern[str] | None = None
    """What the source of a model version must match."""
    truncate_long_values: bool = True
    """Whether a param or tag value that is too long is cut off; refused if not."""
    webhooks: Outbound = field(default_factory=Outbound)
    now: Callable[[], int] = field(default=lambda: time.time_ns() // 1_000_000)
    """Milliseconds since the epoch."""
    new_id: Callable[[], str] = field(default=lambda: uuid.uuid4().hex)
    """32 lower-case hexadecimal digits."""
    new_name: Callable[[], str] = field(default=lambda: random_name(random.SystemRandom().choice))
