"""The aggregators that clients send: one result of the attribute of many entries.

Class ids are those of AggregatorDataSerializerHook. Values that are null count for `count` only;
a sum or average of them is an error on a member, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from gridsched.grid.wire.errors import NullPointer, SerializationFailed
from gridsched.grid.wire.query.attributes import THIS, Entry, Many, attribute
from gridsched.grid.wire.query.comparison import order
from gridsched.grid.wire.query.input import BYTE, INT, NO_HASH, Schemas, content
from gridsched.grid.wire.query.serialized import IDENTIFIED, object_of, written

FACTORY: Final = -29

_ENTRY_FACTORY: Final = -4
_ENTRY_CLASS: Final = 120
_DISTINCT_CLASS: Final = 19

Values = Sequence[Any]
Pair = tuple[Entry, Any]
Aggregate = Callable[[Sequence[Entry], Values], bytes]
"""The result of entries and their attributes, as Data."""


class Aggregator(NamedTuple):
    """`pairs` are an entry with each of the values that count; `run` makes their result of all."""

    pairs: Callable[[Entry], list[Pair]]
    run: Callable[[Sequence[Pair]], bytes]


def aggregator(data: bytes, schemas: Schemas) -> Aggregator:
    """The aggregator that `data` holds. SerializationFailed for anything else."""
    source = content(data, schemas)
    known = source.int() == IDENTIFIED and source.boolean() and source.int() == FACTORY
    aggregate = _AGGREGATORS.get(source.int()) if known else None
    if aggregate is None:
        raise SerializationFailed("an aggregator of a class that is not known here")
    extract = attribute(source.text() or THIS)
    return Aggregator(
        lambda entry: [(entry, value) for value in _each(extract(entry))],
        lambda pairs: aggregate([entry for entry, _ in pairs], [value for _, value in pairs]),
    )


def identified(factory: int, class_id: int, payload: bytes) -> bytes:
    """An IdentifiedDataSerializable as Data."""
    return NO_HASH + _identified_object(factory, class_id, payload)


def entry_object(key: bytes, value: bytes) -> bytes:
    """A map entry as it stands inside other objects; both given as Data."""
    return _identified_object(_ENTRY_FACTORY, _ENTRY_CLASS, key[4:] + value[4:])


def _identified_object(factory: int, class_id: int, payload: bytes) -> bytes:
    head = INT.pack(IDENTIFIED) + BYTE.pack(True) + INT.pack(factory) + INT.pack(class_id)
    return head + payload


def _each(value: Any) -> Sequence[Any]:
    return value if isinstance(value, Many) else [value]


def _numbers(values: Values) -> list[Any]:
    if None in values:
        raise NullPointer("an aggregated number is null")
    return list(values)


def _average(_entries: Sequence[Entry], values: Values) -> bytes:
    numbers = _numbers(values)
    return written(float(sum(numbers)) / len(numbers) if numbers else None)


def _whole_sum(_entries: Sequence[Entry], values: Values) -> bytes:
    return written(sum(map(int, _numbers(values))))


def _floating_sum(_entries: Sequence[Entry], values: Values) -> bytes:
    return written(float(sum(_numbers(values))))


def _distinct(_entries: Sequence[Entry], values: Values) -> bytes:
    found = list(dict.fromkeys(map(object_of, values)))
    return identified(FACTORY, _DISTINCT_CLASS, INT.pack(len(found)) + b"".join(found))


def _extreme(entries: Sequence[Entry], values: Values, sign: int) -> tuple[Entry, Any] | None:
    """The first entry with the greatest value, by `sign`, and that value."""
    pairs = [pair for pair in zip(entries, values, strict=True) if pair[1] is not None]
    if not pairs:
        return None
    best = pairs[0]
    for pair in pairs[1:]:
        if sign * order(pair[1], best[1]) > 0:
            best = pair
    return best


def _extreme_value(sign: int) -> Aggregate:
    def run(entries: Sequence[Entry], values: Values) -> bytes:
        found = _extreme(entries, values, sign)
        return written(found[1] if found else None)

    return run


def _extreme_entry(sign: int) -> Aggregate:
    def run(entries: Sequence[Entry], values: Values) -> bytes:
        found = _extreme(entries, values, sign)
        if found is None:
            return written(None)
        return NO_HASH + entry_object(found[0].key_data, found[0].value_data)

    return run


_AGGREGATORS: Final[dict[int, Aggregate]] = {
    4: lambda _entries, values: written(len(values)),
    5: _distinct,
    6: _average,
    7: _floating_sum,
    8: _whole_sum,
    9: _floating_sum,
    10: _average,
    11: _whole_sum,
    12: _average,
    13: _whole_sum,
    14: _extreme_value(1),
    15: _extreme_value(-1),
    16: _average,
    17: _extreme_entry(1),
    18: _extreme_entry(-1),
}
