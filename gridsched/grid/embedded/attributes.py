"""Reads attributes out of JSON values without building the rest of them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import msgspec

from gridsched.grid.data import TYPE_JSON

Attribute = str | int | float
"""What conditions and indexes compare. Any other JSON value counts as absent."""

Extractor = Callable[[bytes | None], tuple[Attribute | None, ...]]
"""A value's attributes, None for each that is absent; all are for no value, or one not JSON."""

_JSON: Final = struct.pack(">i", TYPE_JSON)
_TEXT: Final = 12


@lru_cache(maxsize=1024)
def extractor(names: tuple[str, ...]) -> Extractor:
    """Extracts the top-level attributes `names`, which are distinct, in that order."""
    decode = _decoder(names, Attribute | None)
    decode_any = _decoder(names, Any)
    astuple = msgspec.structs.astuple
    absent = (None,) * len(names)

    def extract(value: bytes | None) -> tuple[Attribute | None, ...]:
        if value is None or value[4:8] != _JSON:
            return absent
        try:
            return astuple(decode(value[_TEXT:]))
        except msgspec.ValidationError:
            return _comparable(value)
        except msgspec.DecodeError:
            return absent

    def _comparable(value: bytes) -> tuple[Attribute | None, ...]:
        try:
            held = astuple(decode_any(value[_TEXT:]))
        except msgspec.DecodeError:
            return absent
        return tuple(item if type(item) in (str, int, float) else None for item in held)

    return extract


def _decoder(names: tuple[str, ...], kind: Any) -> Callable[[bytes], msgspec.Struct]:
    fields = [
        (f"a{position}", kind, msgspec.field(name=name, default=None))
        for position, name in enumerate(names)
    ]
    return msgspec.json.Decoder(msgspec.defstruct("Attributes", fields, gc=False)).decode
