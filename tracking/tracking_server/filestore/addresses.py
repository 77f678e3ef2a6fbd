"""Where a file store is, by what users write, and where its artifacts are now. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from tracking_server.errors import ConfigInvalid


@dataclass(frozen=True, kw_only=True, slots=True)
class Rewrite:
    """Artifact URIs that begin with `old` shall begin with `new`."""

    old: str
    new: str

    def __call__(self, uri: str) -> str | None:
        """None when it is not about this URI: `s3://a` is not about `s3://ab`."""
        if uri == self.old or uri.startswith(f"{self.old}/"):
            return f"{self.new}{uri[len(self.old) :]}"
        return None


def parse_rewrite(text: str) -> Rewrite:
    old, separator, new = text.partition("=")
    if not separator or not old.rstrip("/") or not new.rstrip("/"):
        raise ConfigInvalid(
            f"{text!r} is not FROM=TO, such as file:///home/me/mlruns=s3://bucket/mlruns. Both are beginnings of URIs."
        )
    return Rewrite(old=old.rstrip("/"), new=new.rstrip("/"))


def rewritten(uri: str | None, rewrites: Sequence[Rewrite]) -> str | None:
    """By the first rewrite that is about it."""
    if uri is None:
        return None
    return next((new for rewrite in rewrites if (new := rewrite(uri)) is not None), uri)
