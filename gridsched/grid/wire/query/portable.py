"""Portable records: every field stands with its name and type, so no class definition is needed.

    int  factory id     int  class id     int  version
    int  end            int  number of fields n
    int  position of each field, and of the raw data after them
    each field: short length of its name, name, byte type, value

Source: DefaultPortableWriter of the Python and Java clients.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from gridsched.grid.wire.errors import SerializationFailed
from gridsched.grid.wire.query.input import (
    BYTE,
    DOUBLE_FORMAT,
    FLOAT,
    INT,
    LONG_FORMAT,
    SHORT,
    Input,
    array_of,
    char,
    decimal,
    local_date,
    local_date_time,
    local_time,
    of,
    offset_date_time,
)

_MAX_FIELDS: Final = 10_000


class Portable:
    """A record: the type and position of each field by name. Fields are read when asked for."""

    __slots__ = ("_fields", "_source", "class_id", "factory_id")

    def __init__(
        self, factory_id: int, class_id: int, source: Input, fields: dict[str, tuple[int, int]]
    ) -> None:
        self.factory_id = factory_id
        self.class_id = class_id
        self._source = source
        self._fields = fields

    def get(self, name: str) -> Any:
        """The value of a field; None where there is no such field."""
        if name not in self._fields:
            return None
        type, at = self._fields[name]
        reader = _READERS.get(type)
        if reader is None:
            raise SerializationFailed(f"a Portable field of type {type}")
        return reader(Input(self._source.data, at, self._source.schemas))


def read_portable(source: Input) -> Portable:
    """A record with its ids before it."""
    factory_id, class_id = source.int(), source.int()
    return _read_fields(source, factory_id, class_id)


def _read_fields(source: Input, factory_id: int, class_id: int) -> Portable:
    source.int()  # the version
    end, count = source.int(), source.int()
    if not 0 <= count <= _MAX_FIELDS:
        raise SerializationFailed(f"a Portable of {count} fields")
    positions = [source.int() for _ in range(count)]
    fields: dict[str, tuple[int, int]] = {}
    for position in positions:
        field = Input(source.data, position, source.schemas)
        name = field.raw(field.read(SHORT)).decode(errors="replace")
        type = field.read(BYTE)
        fields[name] = (type, field.at)
    source.at = end
    return Portable(factory_id, class_id, source, fields)


def _nested(source: Input) -> Portable | None:
    is_null = source.boolean()
    factory_id, class_id = source.int(), source.int()
    return None if is_null else _read_fields(source, factory_id, class_id)


def _nested_array(source: Input) -> list[Portable] | None:
    count, factory_id, class_id = source.int(), source.int(), source.int()
    if count < 0:
        return None
    places = [source.int() for _ in range(min(count, _MAX_FIELDS))]
    return [
        _read_fields(Input(source.data, at, source.schemas), factory_id, class_id) for at in places
    ]


def _nullable(read: Callable[[Input], Any]) -> Callable[[Input], Any]:
    return lambda source: None if source.boolean() else read(source)


def _object_array(read: Callable[[Input], Any]) -> Callable[[Input], Any]:
    """An array of the later types: the positions of its items come first."""

    def items(source: Input) -> list[Any] | None:
        count = source.int()
        if count < 0:
            return None
        places = [source.int() for _ in range(min(count, _MAX_FIELDS))]
        return [read(Input(source.data, at, source.schemas)) for at in places]

    return items


_FORMATS: Final[list[struct.Struct]] = [SHORT, INT, LONG_FORMAT, FLOAT, DOUBLE_FORMAT]
_PLAIN: Final[list[Callable[[Input], Any]]] = [
    of(BYTE),
    Input.boolean,
    char,
    *map(of, _FORMATS),
    Input.text,
]
_LATER: Final[list[Callable[[Input], Any]]] = [
    decimal,
    local_time,
    partial(local_date, year=SHORT),
    partial(local_date_time, year=SHORT),
    partial(offset_date_time, year=SHORT),
]
_READERS: Final[dict[int, Callable[[Input], Any]]] = {
    0: _nested,
    **{1 + place: read for place, read in enumerate(_PLAIN)},
    10: _nested_array,
    **{11 + place: array_of(read) for place, read in enumerate(_PLAIN)},
    **{20 + 2 * place: _nullable(read) for place, read in enumerate(_LATER)},
    **{21 + 2 * place: _object_array(read) for place, read in enumerate(_LATER)},
}
"""By field type: FieldType of the Portable class definitions."""
