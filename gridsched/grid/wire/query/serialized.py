"""Reads `Data` of every type that clients write, and writes what queries answer.

Type ids and layouts are those of Hazelcast's serialization; big endian. Objects of user classes
stay opaque: nothing of them is known here, as on a member without their classes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from gridsched.grid.wire.errors import SerializationFailed
from gridsched.grid.wire.query.compact import read_compact
from gridsched.grid.wire.query.input import (
    BYTE,
    DOUBLE_FORMAT,
    FLOAT,
    INT,
    LONG_FORMAT,
    NANOS_A_MICRO,
    NO_HASH,
    SHORT,
    Input,
    Schemas,
    array_of,
    big_integer,
    char,
    content,
    decimal,
    local_date,
    local_date_time,
    local_time,
    of,
    offset_date_time,
)
from gridsched.grid.wire.query.portable import read_portable

PORTABLE: Final = -1
IDENTIFIED: Final = -2
LONG: Final = -8
DOUBLE: Final = -10
STRING: Final = -11
COMPACT: Final = -55
JSON: Final = -130

_UUID: Final = struct.Struct(">QQ")


class Opaque(NamedTuple):
    """An object of which only the type and the bytes are known."""

    type: int
    raw: bytes


class Json:
    """A JSON value, parsed when it is first asked for."""

    __slots__ = ("_parsed", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._parsed: Any = msgspec.UNSET

    @property
    def parsed(self) -> Any:
        """None where the text is no JSON."""
        if self._parsed is msgspec.UNSET:
            try:
                self._parsed = msgspec.json.decode(self.raw)
            except msgspec.DecodeError:
                self._parsed = None
        return self._parsed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Json) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)


def read_object(source: Input) -> Any:
    """An object with its type before it."""
    type = source.int()
    reader = _READERS.get(type)
    if reader is None:
        return Opaque(type, source.raw(len(source.data) - source.at))
    return reader(source)


def _epoch_date(source: Input) -> datetime:
    return datetime.fromtimestamp(source.read(LONG_FORMAT) / 1000, UTC)


def _uuid(source: Input) -> UUID:
    high, low = _UUID.unpack(source.raw(_UUID.size))
    return UUID(int=high << 64 | low)


def _json(source: Input) -> Json:
    return Json(source.raw(source.int()))


def _objects(source: Input) -> list[Any] | None:
    return source.array(read_object)


_ITEMS: Final[list[Callable[[Input], Any]]] = [
    of(BYTE),
    Input.boolean,
    char,
    of(SHORT),
    of(INT),
    of(LONG_FORMAT),
    of(FLOAT),
    of(DOUBLE_FORMAT),
    Input.text,
]
"""What arrays hold, in the order of the arrays' type ids."""

_READERS: Final[dict[int, Callable[[Input], Any]]] = {
    0: lambda source: None,
    PORTABLE: read_portable,
    -3: of(BYTE),
    -4: Input.boolean,
    -5: char,
    -6: of(SHORT),
    -7: of(INT),
    LONG: of(LONG_FORMAT),
    -9: of(FLOAT),
    DOUBLE: of(DOUBLE_FORMAT),
    STRING: Input.text,
    **{-12 - place: array_of(item) for place, item in enumerate(_ITEMS)},
    -21: _uuid,
    -25: _epoch_date,
    -26: big_integer,
    -27: decimal,
    -28: _objects,
    -29: _objects,
    -30: _objects,
    -51: local_date,
    -52: local_time,
    -53: local_date_time,
    -54: offset_date_time,
    COMPACT: read_compact,
    JSON: _json,
}


def value_of(data: bytes, schemas: Schemas) -> Any:
    """The value that `data` holds."""
    return read_object(content(data, schemas))


def written(value: Any) -> bytes:
    """A value as Data."""
    return NO_HASH + object_of(value)


def object_of(value: Any) -> bytes:
    """A value with its type before it, as it stands inside other objects.

    Whole numbers are Longs: what they were in the record is not known any more.
    """
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    raise SerializationFailed(f"a query cannot answer a {type(value).__name__}")


def _text_of(text: str) -> bytes:
    raw = text.encode()
    return INT.pack(len(raw)) + raw


def _whole(value: int) -> bytes:
    if -(2**63) <= value < 2**63:
        return INT.pack(LONG) + LONG_FORMAT.pack(value)
    return INT.pack(-26) + _integer_bytes(value)


def _integer_bytes(value: int) -> bytes:
    raw = value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)
    return INT.pack(len(raw)) + raw


def _decimal_of(value: Decimal) -> bytes:
    exponent = value.as_tuple().exponent
    scale = -exponent if isinstance(exponent, int) else 0
    return INT.pack(-27) + _integer_bytes(int(value.scaleb(scale))) + INT.pack(scale)


def _date_of(value: date) -> bytes:
    return INT.pack(value.year) + BYTE.pack(value.month) + BYTE.pack(value.day)


def _time_of(value: time | datetime) -> bytes:
    clock = bytes((value.hour, value.minute, value.second))
    return clock + INT.pack(value.microsecond * NANOS_A_MICRO)


def _date_time_of(value: datetime) -> bytes:
    offset = value.utcoffset()
    local = _date_of(value) + _time_of(value)
    if offset is None:
        return INT.pack(-53) + local
    return INT.pack(-54) + local + INT.pack(int(offset.total_seconds()))


def _list_of(values: list[Any]) -> bytes:
    return INT.pack(-29) + INT.pack(len(values)) + b"".join(map(object_of, values))


_WRITERS: Final[list[tuple[type, Callable[[Any], bytes]]]] = [
    (type(None), lambda value: INT.pack(0)),
    (bool, lambda value: INT.pack(-4) + BYTE.pack(value)),
    (int, _whole),
    (float, lambda value: INT.pack(DOUBLE) + DOUBLE_FORMAT.pack(value)),
    (str, lambda value: INT.pack(STRING) + _text_of(value)),
    (UUID, lambda value: INT.pack(-21) + value.bytes),
    (Decimal, _decimal_of),
    (datetime, _date_time_of),
    (date, lambda value: INT.pack(-51) + _date_of(value)),
    (time, lambda value: INT.pack(-52) + _time_of(value)),
    (Json, lambda value: INT.pack(JSON) + INT.pack(len(value.raw)) + value.raw),
    (dict, lambda value: object_of(Json(msgspec.json.encode(value)))),
    (Opaque, lambda value: INT.pack(value.type) + value.raw),
    (list, _list_of),
]
