"""An answer to the bytes of its JSON."""

import msgspec

encode = msgspec.json.Encoder().encode
"""Enums by name, int64 as numbers, fields that hold their default left out; no white space."""
