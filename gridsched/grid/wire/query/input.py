"""Reads the bytes of an object one after the other: numbers, text, dates, arrays of them; big endian."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from gridsched.grid.wire.errors import SerializationFailed

NANOS_A_MICRO: Final = 1000
NO_HASH: Final = bytes(4)
"""How Data begins that does not carry its partition hash."""

_NULL_LENGTH: Final = -1

Schemas = Mapping[int, tuple[Any, ...]]
"""The schemas of Compact records, by id."""


class Input:
    """Reads the bytes of `data` one after the other. Positions count from its first byte."""

    __slots__ = ("at", "data", "schemas")

    def __init__(self, data: bytes, at: int, schemas: Schemas) -> None:
        self.data = data
        self.at = at
        self.schemas = schemas

    def read(self, format: struct.Struct) -> Any:
        """The one value of that format."""
        try:
            (value,) = format.unpack_from(self.data, self.at)
        except struct.error:
            raise SerializationFailed("an object ends too early") from None
        self.at += format.size
        return value

    def raw(self, size: int) -> bytes:
        if size < 0 or self.at + size > len(self.data):
            raise SerializationFailed(f"an object ends within {size} bytes")
        self.at += size
        return self.data[self.at - size : self.at]

    def boolean(self) -> bool:
        return bool(self.read(BYTE))

    def int(self) -> int:
        value: int = self.read(INT)
        return value

    def text(self) -> str | None:
        size = self.int()
        return None if size == _NULL_LENGTH else self.raw(size).decode(errors="replace")

    def array(self, item: Callable[[Input], Any]) -> list[Any] | None:
        size = self.int()
        if size == _NULL_LENGTH:
            return None
        if not 0 <= size <= len(self.data):
            raise SerializationFailed(f"an array of {size} items")
        return [item(self) for _ in range(size)]


def content(data: bytes, schemas: Schemas) -> Input:
    """Reads what `data` holds, from its type on."""
    return Input(data, len(NO_HASH), schemas)


BYTE: Final = struct.Struct(">b")
SHORT: Final = struct.Struct(">h")
CHAR: Final = struct.Struct(">H")
INT: Final = struct.Struct(">i")
LONG_FORMAT: Final = struct.Struct(">q")
FLOAT: Final = struct.Struct(">f")
DOUBLE_FORMAT: Final = struct.Struct(">d")


def of(format: struct.Struct) -> Callable[[Input], Any]:
    """Reads one value of a format."""
    return lambda source: source.read(format)


def char(source: Input) -> str:
    return chr(source.read(CHAR))


def big_integer(source: Input) -> int:
    return int.from_bytes(source.raw(source.int()), "big", signed=True)


def decimal(source: Input) -> Decimal:
    unscaled = big_integer(source)
    return Decimal(unscaled).scaleb(-source.int())


def local_date(source: Input, year: struct.Struct = INT) -> date:
    return date(source.read(year), source.read(BYTE), source.read(BYTE))


def local_time(source: Input) -> time:
    hour, minute, second = source.read(BYTE), source.read(BYTE), source.read(BYTE)
    return time(hour, minute, second, source.int() // NANOS_A_MICRO)


def local_date_time(source: Input, year: struct.Struct = INT) -> datetime:
    return datetime.combine(local_date(source, year), local_time(source))


def offset_date_time(source: Input, year: struct.Struct = INT) -> datetime:
    local = local_date_time(source, year)
    return local.replace(tzinfo=timezone(timedelta(seconds=source.int())))


def array_of(item: Callable[[Input], Any]) -> Callable[[Input], Any]:
    """Reads an array of such items."""
    return lambda source: source.array(item)
