"""Reads predicates from the form in which clients send them.

Class ids and layouts are those of PredicateDataSerializerHook.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gridsched.grid.data import partition_of
from gridsched.grid.wire.errors import IllegalArgument, SerializationFailed
from gridsched.grid.wire.query.compact import Compact
from gridsched.grid.wire.query.input import NO_HASH, Input, Schemas, content
from gridsched.grid.wire.query.portable import Portable
from gridsched.grid.wire.query.predicates import (
    All,
    Always,
    Between,
    Compare,
    Either,
    Equal,
    In,
    InPartitions,
    InstanceOf,
    Not,
    Predicate,
    like,
    regex,
)
from gridsched.grid.wire.query.serialized import IDENTIFIED, Opaque, read_object
from gridsched.grid.wire.query.sql import parse

FACTORY: Final = -20

_HASH_SET: Final = -37


def read_predicate(data: bytes, schemas: Schemas) -> Predicate:
    """The predicate that `data` holds. SerializationFailed for anything else."""
    return _object(content(data, schemas))


def _object(source: Input) -> Predicate:
    type = source.int()
    if type == 0:
        return Always(True)
    if type != IDENTIFIED or not source.boolean() or source.int() != FACTORY:
        raise SerializationFailed("a predicate of a class that is not known here")
    id = source.int()
    reader = _READERS.get(id)
    if reader is None:
        raise SerializationFailed(f"a predicate of class id {id}")
    return reader(source)


def _text(source: Input) -> str:
    text = source.text()
    if text is None:
        raise IllegalArgument("a predicate needs the name of an attribute")
    return text


def _literal(source: Input) -> Any:
    """A value to compare with."""
    value = read_object(source)
    if isinstance(value, list | Opaque | Portable | Compact):
        raise SerializationFailed(f"a {type(value).__name__} cannot be compared with anything")
    return value


def _sql(source: Input) -> Predicate:
    return parse(_text(source))


def _several(source: Input) -> tuple[Predicate, ...]:
    count = source.int()
    if not 0 <= count <= len(source.data):
        raise SerializationFailed(f"{count} predicates")
    return tuple(_object(source) for _ in range(count))


def _between(source: Input) -> Between:
    name, high, low = _text(source), _literal(source), _literal(source)
    return Between(name, low, high)


def _in(source: Input) -> In:
    name = _text(source)
    return In(name, tuple(source.array(_literal) or ()))


def _partition_of_object(source: Input) -> int:
    """The partition of the key that stands next."""
    start = source.at
    read_object(source)
    return partition_of(NO_HASH + source.data[start : source.at])


def _in_partition(source: Input) -> InPartitions:
    partition = _partition_of_object(source)
    return InPartitions(frozenset([partition]), _object(source))


def _in_partitions(source: Input) -> InPartitions:
    if source.int() != _HASH_SET:
        raise SerializationFailed("a multi-partition predicate without a set of keys")
    partitions = frozenset(_partition_of_object(source) for _ in range(source.int()))
    return InPartitions(partitions, _object(source))


def _no_paging(_source: Input) -> Predicate:
    raise IllegalArgument("a paging predicate is sent in its own requests")


_READERS: Final[dict[int, Callable[[Input], Predicate]]] = {
    0: _sql,
    1: lambda source: All(_several(source)),
    2: _between,
    3: lambda source: Equal(_text(source), _literal(source)),
    4: lambda source: Compare(_text(source), _literal(source), source.boolean(), source.boolean()),
    5: lambda source: like(_text(source), source.text()),
    6: lambda source: like(_text(source), source.text(), ignore_case=True),
    7: _in,
    8: lambda source: InstanceOf(_text(source)),
    9: lambda source: Not(Equal(_text(source), _literal(source))),
    10: lambda source: Not(_object(source)),
    11: lambda source: Either(_several(source)),
    12: lambda source: regex(_text(source), _text(source)),
    13: lambda source: Always(False),
    14: lambda source: Always(True),
    15: _no_paging,
    16: _in_partition,
    21: _in_partitions,
}
