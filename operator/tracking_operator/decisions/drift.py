"""Compares what we want of an object with what is there, field by field, so that an object at rest is left alone.

Only fields that we set count: what the API server, a controller or a person adds beside them is theirs.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeGuard

_KEYS_OF_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "conditions": ("type",),
    "containers": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "ports": ("containerPort", "port", "protocol"),
    "secrets": ("name",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
"""Lists whose order means nothing to Kubernetes, and what tells their elements apart. All other lists are one value."""

ATOMIC_MAPS: Final = frozenset({"nodeSelector", "secretKeyRef", "selector"})
"""Maps that Kubernetes takes as one value: a key that somebody adds changes what ours mean."""

_DEFAULTS_OF_KEYS: Final[Mapping[str, Any]] = {"protocol": "TCP"}
_QUANTITIES: Final = frozenset({"requests", "limits"})
_SUFFIXES: Final[Mapping[str, Decimal]] = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15),
    "E": Decimal(10**18),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}  # fmt: skip

_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")

_Key = tuple[Any, ...]


def differences(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> tuple[str, ...]:
    """The paths of the fields of `wanted` that `live` lacks or holds with another value, sorted: `spec.replicas`."""
    return tuple(sorted(_differences(wanted, live, "")))


def is_map(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def element_key(field: str, element: object) -> _Key | None:
    """What tells an element of the list `field` from the others; None when the list is one value."""
    keys = _KEYS_OF_LISTS.get(field)
    if keys is None or not is_map(element):
        return None
    return tuple(element.get(key, _DEFAULTS_OF_KEYS.get(key)) for key in keys)


def _differences(wanted: Mapping[str, Any], live: Mapping[str, Any], path: str) -> Iterator[str]:
    for field, value in wanted.items():
        here = f"{path}.{field}" if path else field
        yield from _difference(field, value, live.get(field), here)


def _difference(field: str, wanted: Any, live: Any, path: str) -> Iterator[str]:
    if is_map(wanted) and is_map(live):
        if field in ATOMIC_MAPS:
            if wanted != live:
                yield path
        elif field in _QUANTITIES:
            yield from _quantities(wanted, live, path)
        else:
            yield from _differences(wanted, live, path)
    elif is_list(wanted) and is_list(live) and wanted and element_key(field, wanted[0]) is not None:
        there = {element_key(field, element): element for element in live}
        for element in wanted:
            key = element_key(field, element)
            yield from _difference(field, element, there.get(key), f"{path}[{_name_of(key)}]")
    elif (pairs := _pairs_of_maps(wanted, live)) is not None:
        for index, (ours, theirs) in enumerate(pairs):
            yield from _differences(ours, theirs, f"{path}[{index}]")
    elif not _is_equal(wanted, live):
        yield path


def _quantities(wanted: Mapping[str, Any], live: Mapping[str, Any], path: str) -> Iterator[str]:
    for resource, quantity in wanted.items():
        if resource not in live or _quantity(quantity) != _quantity(live[resource]):
            yield f"{path}.{resource}"


def _pairs_of_maps(wanted: Any, live: Any) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]] | None:
    """Of two lists of maps of the same length: the API server may have put defaults into the elements."""
    if not is_list(wanted) or not is_list(live) or len(wanted) != len(live):
        return None
    pairs = [(ours, theirs) for ours, theirs in zip(wanted, live, strict=True) if is_map(ours) and is_map(theirs)]
    return pairs if len(pairs) == len(wanted) else None


def _is_equal(wanted: Any, live: Any) -> bool:
    # The API server drops empty text, lists and maps.
    return bool(wanted == live) or (live is None and wanted in ("", [], (), {}, None))


def _name_of(key: _Key | None) -> str:
    return "/".join(str(part) for part in key or () if part is not None)


def amount(quantity: object) -> Decimal:
    """What a quantity (`500m`, `10Gi`) amounts to; nothing when it is none."""
    parsed = _quantity(quantity)
    return Decimal(0) if isinstance(parsed, str) else parsed


def _quantity(value: object) -> Decimal | str:
    """`1000m` and `1` are one amount, and the API server writes the shorter one."""
    text = str(value)
    number = text.rstrip("numkKMGTPEi")
    suffix = text[len(number) :]
    if not _NUMBER.fullmatch(number) or (suffix and suffix not in _SUFFIXES):
        return text
    return Decimal(number) * _SUFFIXES.get(suffix, Decimal(1))
