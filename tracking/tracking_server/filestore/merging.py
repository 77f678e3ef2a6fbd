"""Tags and aliases of what both sides have. The database keeps what it has, unless the folder is to win."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tracking_server.filestore.sink import Sink
from tracking_server.filestore.statements import Texts
from tracking_server.filestore.target import Target


@dataclass(frozen=True, kw_only=True, slots=True)
class Both:
    """The keys of one thing: what each side says of them, and the rows that say it for the folder.

    `path` and `suffix`: where in the folder the file of a key is. `same`: columns that have one value.
    """

    texts: Texts
    path: str
    rows: Mapping[str, tuple[object, ...]]
    found: Mapping[str, object]
    known: Mapping[str, object]
    suffix: str = ""
    same: Mapping[str, object] = field(default_factory=dict[str, object])

    @property
    def new(self) -> list[str]:
        return [key for key in self.found if key not in self.known]

    @property
    def differing(self) -> list[str]:
        return [key for key, value in self.found.items() if key in self.known and self.known[key] != value]


def both_texts(
    texts: Texts,
    path: str,
    owner: tuple[object, ...],
    found: Mapping[str, object],
    known: Mapping[str, object],
    **same: object,
) -> Both:
    """`owner`: the first columns of the rows."""
    rows = {key: (*owner, key, value) for key, value in found.items()}
    return Both(texts=texts, path=path, rows=rows, found=found, known=known, same=same)


def merge(target: Target, parts: Sequence[Both]) -> None:
    """What only the folder has is added. Files that have not changed since the last start say nothing new: what they
    say may have been deleted in the database meanwhile.
    """
    new = _those_with(target, parts, [part.new for part in parts])
    target.write(new, _add, lambda each: each[0].path)
    differing = _those_with(target, parts, [part.differing for part in parts])
    if not target.options.replaces:
        for part, keys in differing:
            target.imported.tell_of(part.texts.noun, part.path, keys)
        return
    if target.write(differing, _replace, lambda each: each[0].path):
        for part, keys in differing:
            target.imported.count_replaced({part.texts.noun: len(keys)})


def _those_with(
    target: Target, parts: Sequence[Both], keys_of_parts: Sequence[Sequence[str]]
) -> list[tuple[Both, list[str]]]:
    kept = [
        (part, [key for key in keys if target.is_fresh(f"{part.path}/{key}{part.suffix}")])
        for part, keys in zip(parts, keys_of_parts, strict=True)
    ]
    return [(part, keys) for part, keys in kept if keys]


def _add(sink: Sink, parts: Sequence[tuple[Both, list[str]]]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for part, keys in parts:
        sink.add(part.texts.add, [part.rows[key] for key in keys], **part.same)
        counts[part.texts.noun] = counts.get(part.texts.noun, 0) + len(keys)
    return counts


def _replace(sink: Sink, parts: Sequence[tuple[Both, list[str]]]) -> Mapping[str, int]:
    for part, keys in parts:
        sink.add(part.texts.replace, [part.rows[key] for key in keys], **part.same)
    return {}
