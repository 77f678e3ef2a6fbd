"""A request as the edge read it, before anybody has looked at what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class RawRequest:
    """`query` holds every value of a key, in order; `content_type` is empty when the header is missing.

    `base_url` is where the client reached the server, such as `https://ml.example.com`: good to show, not to trust.
    """

    method: str
    path_parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    body: bytes = b""
    content_type: str = ""
    base_url: str = ""
