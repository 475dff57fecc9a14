"""Compact records, whose fields are found by the schema that the client sent before them.

    long  schema id
    int   length of the data, where the record has fields of variable size
    fixed-size fields: the widest first, booleans as bits at the end
    variable-size fields
    their positions, one, two or four bytes each as the length needs; all ones for null

Source: the Compact serialization of the Java and Python clients.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

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
    decimal,
    local_date,
    local_date_time,
    local_time,
    of,
    offset_date_time,
)

_BOOLEAN: Final = 1
_FIXED: Final[dict[int, struct.Struct]] = {
    3: BYTE, 7: SHORT, 9: INT, 11: LONG_FORMAT, 13: FLOAT, 15: DOUBLE_FORMAT,
}  # fmt: skip
"""The fixed-size field kinds."""

_BITS: Final = 8
_ONE_BYTE: Final = 2**8 - 1
_TWO_BYTES: Final = 2**16 - 1


class Layout(NamedTuple):
    """Where the fields of a schema stand: by name its kind and its place.

    A place is an offset for a fixed-size field, 8 x offset + bit for a boolean, and the rank
    among the variable-size ones for the others.
    """

    fields: dict[str, tuple[int, int]]
    variable_count: int


@lru_cache(maxsize=1024)
def _layout(fields: tuple[tuple[str, int], ...]) -> Layout:
    ordered = sorted(fields)
    fixed = [field for field in ordered if field[1] in _FIXED]
    fixed.sort(key=lambda field: -_FIXED[field[1]].size)
    booleans = [name for name, kind in ordered if kind == _BOOLEAN]
    variable = [field for field in ordered if field[1] not in _FIXED and field[1] != _BOOLEAN]
    places: dict[str, tuple[int, int]] = {}
    at = 0
    for name, kind in fixed:
        places[name] = (kind, at)
        at += _FIXED[kind].size
    for bit, name in enumerate(booleans):
        places[name] = (_BOOLEAN, at * _BITS + bit)
    for rank, (name, kind) in enumerate(variable):
        places[name] = (kind, rank)
    return Layout(places, len(variable))


class Compact:
    """A record. Fields are read when asked for."""

    __slots__ = ("_data_at", "_layout", "_length", "_source")

    def __init__(self, source: Input, fields: Sequence[tuple[str, int]]) -> None:
        self._source = source
        self._layout = _layout(tuple(fields))
        self._length = source.int() if self._layout.variable_count else 0
        self._data_at = source.at

    def get(self, name: str) -> Any:
        """The value of a field; None where there is no such field."""
        kind, place = self._layout.fields.get(name, (0, 0))
        if kind == 0:
            return None
        if kind == _BOOLEAN:
            offset, bit = divmod(place, _BITS)
            return bool(self._input(offset).raw(1)[0] >> bit & 1)
        if kind in _FIXED:
            return self._input(place).read(_FIXED[kind])
        position = self._position(place)
        reader = _VARIABLE.get(kind)
        if reader is None:
            raise SerializationFailed(f"a Compact field of kind {kind}")
        return None if position is None else reader(self._input(position))

    def _position(self, rank: int) -> int | None:
        return _position(self._input(self._length), self._length, rank)

    def _input(self, offset: int) -> Input:
        return Input(self._source.data, self._data_at + offset, self._source.schemas)


def read_compact(source: Input) -> Compact:
    """A record with its schema's id before it."""
    id = source.read(LONG_FORMAT)
    schema = source.schemas.get(id)
    if schema is None:
        raise SerializationFailed(f"The schema can not be found with id {id}")
    _type_name, fields = schema
    return Compact(source, fields)


def _position(source: Input, length: int, rank: int) -> int | None:
    """The position of an item, from those that stand at the end of a record or array."""
    width = 1 if length < _ONE_BYTE else 2 if length < _TWO_BYTES else 4
    source.at += rank * width
    raw = source.raw(width)
    return None if raw == b"\xff" * width else int.from_bytes(raw, "big")


def _array_of_items(read: Callable[[Input], Any]) -> Callable[[Input], Any]:
    """An array whose items have positions: length of the data, number of items, data, positions."""

    def items(source: Input) -> list[Any]:
        length, count = source.int(), source.int()
        start = source.at

        def item(rank: int) -> Any:
            at = _position(Input(source.data, start + length, source.schemas), length, rank)
            return None if at is None else read(Input(source.data, start + at, source.schemas))

        return [item(rank) for rank in range(min(count, len(source.data)))]

    return items


def _bits(source: Input) -> list[bool]:
    count = source.int()
    raw = source.raw((count + _BITS - 1) // _BITS)
    return [bool(raw[bit // _BITS] >> bit % _BITS & 1) for bit in range(count)]


_OBJECTS: Final[dict[int, Callable[[Input], Any]]] = {
    17: Input.text,
    19: decimal,
    21: local_time,
    23: local_date,
    25: local_date_time,
    27: offset_date_time,
    29: read_compact,
}
_NULLABLE: Final[dict[int, Callable[[Input], Any]]] = {
    33: Input.boolean,
    35: of(BYTE),
    37: of(SHORT),
    39: of(INT),
    41: of(LONG_FORMAT),
    43: of(FLOAT),
    45: of(DOUBLE_FORMAT),
}
_VARIABLE: Final[dict[int, Callable[[Input], Any]]] = {
    2: _bits,
    **{kind + 1: array_of(of(format)) for kind, format in _FIXED.items()},
    **_OBJECTS,
    **{kind + 1: _array_of_items(read) for kind, read in _OBJECTS.items()},
    **_NULLABLE,
    **{kind + 1: _array_of_items(read) for kind, read in _NULLABLE.items()},
}
"""By field kind: FieldKind of the clients."""
