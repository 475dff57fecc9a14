"""The ids of Compact schemas: the Rabin fingerprint that every client computes alike."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

_EMPTY: Final = 0xC15D213AA4D7A795
_MASK: Final = 2**64 - 1
_LONG: Final = struct.Struct(">q")
_INT: Final = struct.Struct("<i")


@cache
def _table() -> tuple[int, ...]:
    def entry(value: int) -> int:
        for _ in range(8):
            value = (value >> 1) ^ (_EMPTY if value & 1 else 0)
        return value

    return tuple(entry(value) for value in range(256))


def schema_id(schema: tuple[Any, ...]) -> int:
    """The id of a schema, a signed long."""
    table, print = _table(), _EMPTY
    for byte in b"".join(_written(schema)):
        print = (print >> 8) ^ table[(print ^ byte) & 0xFF]
    found: int = _LONG.unpack((print & _MASK).to_bytes(8, "big"))[0]
    return found


def _written(schema: tuple[Any, ...]) -> Iterator[bytes]:
    name, fields = schema
    yield from _text(name)
    yield _INT.pack(len(fields))
    for field, kind in sorted(fields):
        yield from _text(field)
        yield _INT.pack(kind)


def _text(text: str) -> Iterator[bytes]:
    raw = text.encode()
    yield _INT.pack(len(raw))
    yield raw
