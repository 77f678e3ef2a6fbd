"""Whether rows are the same as others, in whatever order: as far as one process needs to know. Pure."""

from collections.abc import Iterable


class Fingerprint:
    """The sum of the hashes of lines, which Python keys anew in each process: quicker than the checksum of an archive,
    and no row can be made to fit it."""

    def __init__(self) -> None:
        self.value = (0, 0)
        """With the number of lines."""

    def add(self, lines: Iterable[bytes]) -> None:
        hashes = list(map(hash, lines))
        total, rows = self.value
        self.value = (total + sum(hashes), rows + len(hashes))
