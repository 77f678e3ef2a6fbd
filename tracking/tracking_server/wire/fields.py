"""What a request struct expects, field by field: the part of its type that lenient decoding has to know."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from tracking_server.entities.lifecycle import ViewType
from tracking_server.entities.logged_models import LoggedModelStatus
from tracking_server.entities.runs import RunStatus
from tracking_server.entities.webhooks import WebhookAction, WebhookEntity, WebhookStatus

NUMBERS: Mapping[type[enum.StrEnum], Mapping[int, enum.StrEnum]] = {
    RunStatus: dict(enumerate(RunStatus, start=1)),
    ViewType: dict(enumerate(ViewType, start=1)),
    LoggedModelStatus: dict(enumerate(LoggedModelStatus)),
    WebhookStatus: dict(enumerate(WebhookStatus, start=1)),
    WebhookEntity: dict(enumerate(WebhookEntity, start=1)),
    WebhookAction: dict(enumerate(WebhookAction, start=1)),
}
"""The numbers that MLflow's protobuf gives to the names; a caller may send either."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """`item` describes the fields of a struct, or of each struct in a list."""

    name: str
    camel_name: str
    is_required: bool
    is_text: bool
    is_flag: bool
    is_list: bool
    enumeration: type[enum.StrEnum] | None
    item: "tuple[Field, ...] | None"


def fields_of(shape: type[msgspec.Struct]) -> tuple[Field, ...]:
    described = msgspec.inspect.type_info(shape)
    if not isinstance(described, msgspec.inspect.StructType):
        raise TypeError(f"not a struct: {shape!r}")
    return _fields(described)


def _fields(struct: msgspec.inspect.StructType) -> tuple[Field, ...]:
    return tuple(_field(field) for field in struct.fields)


def _field(field: msgspec.inspect.Field) -> Field:
    kind = _without_none(field.type)
    is_list = isinstance(kind, msgspec.inspect.VarTupleType)
    item = kind.item_type if isinstance(kind, msgspec.inspect.VarTupleType) else kind
    return Field(
        name=field.name,
        camel_name=_camel(field.name),
        is_required=field.required,
        is_text=isinstance(kind, msgspec.inspect.StrType),
        is_flag=isinstance(kind, msgspec.inspect.BoolType),
        is_list=is_list,
        enumeration=_enumeration(kind),
        item=_fields(item) if isinstance(item, msgspec.inspect.StructType) else None,
    )


def _enumeration(kind: msgspec.inspect.Type) -> type[enum.StrEnum] | None:
    if isinstance(kind, msgspec.inspect.EnumType) and issubclass(kind.cls, enum.StrEnum):
        return kind.cls
    return None


def _without_none(kind: msgspec.inspect.Type) -> msgspec.inspect.Type:
    if isinstance(kind, msgspec.inspect.UnionType):
        (kind,) = (each for each in kind.types if not isinstance(each, msgspec.inspect.NoneType))
    return kind


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
