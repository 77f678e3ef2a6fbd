"""The two kinds of struct that everything here is, and the field types that they share."""

from typing import Annotated

import msgspec

NonEmpty = Annotated[str, msgspec.Meta(min_length=1)]
"""A string that must be there: empty counts as missing."""

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a caller asks for. A field without a default is required."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a caller is told. A field that holds its default is left out of the JSON."""


class Empty(Answer, frozen=True, kw_only=True):
    """The answer `{}`: done, and there is nothing to say."""
