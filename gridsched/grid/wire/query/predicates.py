"""The predicates that clients send, read from their serialized form.

Each class is a named tuple of what was sent. `matcher` turns a predicate into a function of an
entry. Class ids and layouts are those of PredicateDataSerializerHook.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from gridsched.grid.data import partition_of
from gridsched.grid.wire.errors import IllegalArgument, SerializationFailed
from gridsched.grid.wire.query.attributes import Entry, Many, attribute
from gridsched.grid.wire.query.compact import Compact
from gridsched.grid.wire.query.comparison import is_equal, order, text_of
from gridsched.grid.wire.query.input import Input, Schemas
from gridsched.grid.wire.query.portable import Portable
from gridsched.grid.wire.query.serialized import IDENTIFIED, Opaque, read_object

FACTORY: Final = -20

_DATA_HEADER: Final = 4
_NO_HASH: Final = b"\0\0\0\0"
_HASH_SET: Final = -37


class Always(NamedTuple):
    matches: bool


class Compare(NamedTuple):
    """`attribute` compared with `value`: less or greater, perhaps equal."""

    attribute: str
    value: Any
    equal: bool
    less: bool


class Equal(NamedTuple):
    attribute: str
    value: Any


class Between(NamedTuple):
    attribute: str
    low: Any
    high: Any


class In(NamedTuple):
    attribute: str
    values: tuple[Any, ...]


class Matches(NamedTuple):
    """The text of `attribute` matches a whole regular expression."""

    attribute: str
    pattern: re.Pattern[str] | None


class InstanceOf(NamedTuple):
    class_name: str


class Not(NamedTuple):
    predicate: Predicate


class All(NamedTuple):
    predicates: tuple[Predicate, ...]


class Either(NamedTuple):
    predicates: tuple[Predicate, ...]


class InPartitions(NamedTuple):
    partitions: frozenset[int]
    predicate: Predicate


Predicate = (
    Always
    | Compare
    | Equal
    | Between
    | In
    | Matches
    | InstanceOf
    | Not
    | All
    | Either
    | InPartitions
)
Match = Callable[[Entry], bool]


def read_predicate(data: bytes, schemas: Schemas) -> Predicate:
    """The predicate that `data` holds. SerializationFailed for anything else."""
    return _object(Input(data, _DATA_HEADER, schemas))


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
    from gridsched.grid.wire.query.sql import parse

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


def like(attribute: str, expression: str | None, *, ignore_case: bool = False) -> Matches:
    """`%` stands for any text, `_` for any character, a backslash before either for itself.

    What stands between two `%` is looked for once, and never again further on: no expression takes
    longer than its length times that of the text.
    """
    if expression is None:
        return Matches(attribute, None)
    pieces = [""]
    for part in re.findall(r"\\[%_\\]|%+|.", expression, re.DOTALL):
        if part[0] == "%":
            pieces.append("")
        else:
            pieces[-1] += "." if part == "_" else re.escape(part[-1])
    start, *between = pieces
    end = f".*{between.pop()}" if between else ""
    found = "".join(f"(?>.*?{piece})" for piece in between)
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    return Matches(attribute, re.compile(start + found + end, flags))


def regex(attribute: str, expression: str) -> Matches:
    try:
        return Matches(attribute, re.compile(expression))
    except re.error as error:
        raise IllegalArgument(f"{expression!r} is no regular expression: {error}") from None


def partition_of_object(source: Input) -> int:
    """The partition of the key that stands next."""
    start = source.at
    read_object(source)
    return partition_of(_NO_HASH + source.data[start : source.at])


def _in_partition(source: Input) -> InPartitions:
    partition = partition_of_object(source)
    return InPartitions(frozenset([partition]), _object(source))


def _in_partitions(source: Input) -> InPartitions:
    if source.int() != _HASH_SET:
        raise SerializationFailed("a multi-partition predicate without a set of keys")
    partitions = frozenset(partition_of_object(source) for _ in range(source.int()))
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


def matcher(predicate: Predicate) -> Match:
    """Whether an entry matches."""
    return _MATCHERS[type(predicate)](predicate)


def _on(path: str, test: Callable[[Any], bool]) -> Match:
    """A test of an attribute; of any of its values where the path has `[any]`."""
    extract = attribute(path)

    def match(entry: Entry) -> bool:
        held = extract(entry)
        return any(map(test, held)) if type(held) is Many else test(held)

    return match


def _compare(wanted: Compare) -> Match:
    if wanted.value is None:
        raise IllegalArgument("Arguments can't be null")
    sign = -1 if wanted.less else 1

    def test(held: Any) -> bool:
        if held is None:
            return False
        found = order(held, wanted.value)
        return wanted.equal if found == 0 else found == sign

    return _on(wanted.attribute, test)


def _is_between(wanted: Between) -> Match:
    low, high = wanted.low, wanted.high
    if low is None or high is None:
        raise IllegalArgument("Arguments can't be null")
    return _on(
        wanted.attribute,
        lambda held: held is not None and order(held, low) >= 0 and order(held, high) <= 0,
    )


def _is_in(wanted: In) -> Match:
    return _on(wanted.attribute, lambda held: any(is_equal(held, given) for given in wanted.values))


def _is_like(wanted: Matches) -> Match:
    pattern = wanted.pattern
    if pattern is None:
        return _on(wanted.attribute, lambda held: held is None)
    return _on(
        wanted.attribute,
        lambda held: held is not None and pattern.fullmatch(text_of(held)) is not None,
    )


_NUMBERS: Final = frozenset({"java.lang.Number"})
_CLASSES: Final = {
    -3: ("java.lang.Byte", _NUMBERS),
    -4: ("java.lang.Boolean", frozenset()),
    -5: ("java.lang.Character", frozenset()),
    -6: ("java.lang.Short", _NUMBERS),
    -7: ("java.lang.Integer", _NUMBERS),
    -8: ("java.lang.Long", _NUMBERS),
    -9: ("java.lang.Float", _NUMBERS),
    -10: ("java.lang.Double", _NUMBERS),
    -11: ("java.lang.String", frozenset({"java.lang.CharSequence"})),
    -21: ("java.util.UUID", frozenset()),
    -26: ("java.math.BigInteger", _NUMBERS),
    -27: ("java.math.BigDecimal", _NUMBERS),
    -29: ("java.util.ArrayList", frozenset({"java.util.List", "java.util.Collection"})),
    -51: ("java.time.LocalDate", frozenset()),
    -52: ("java.time.LocalTime", frozenset()),
    -53: ("java.time.LocalDateTime", frozenset()),
    -54: ("java.time.OffsetDateTime", frozenset()),
    -130: ("com.hazelcast.core.HazelcastJsonValue", frozenset()),
}


def _is_instance(wanted: InstanceOf) -> Match:
    if wanted.class_name == "java.lang.Object":
        return lambda entry: True

    def match(entry: Entry) -> bool:
        type = int.from_bytes(entry.value_data[4:8], "big", signed=True)
        name, bases = _CLASSES.get(type, ("", frozenset()))
        return wanted.class_name == name or wanted.class_name in bases

    return match


def _is_not(wanted: Not) -> Match:
    inner = matcher(wanted.predicate)
    return lambda entry: not inner(entry)


def _all(wanted: All) -> Match:
    inner = [matcher(predicate) for predicate in wanted.predicates]
    return lambda entry: all(match(entry) for match in inner)


def _any(wanted: Either) -> Match:
    inner = [matcher(predicate) for predicate in wanted.predicates]
    return lambda entry: any(match(entry) for match in inner)


def _in_these(wanted: InPartitions) -> Match:
    inner = matcher(wanted.predicate)
    return lambda entry: partition_of(entry.key_data) in wanted.partitions and inner(entry)


_MATCHERS: Final[dict[type, Callable[[Any], Match]]] = {
    Always: lambda wanted: lambda entry: wanted.matches,
    Compare: _compare,
    Equal: lambda wanted: _on(wanted.attribute, lambda held: is_equal(held, wanted.value)),
    Between: _is_between,
    In: _is_in,
    Matches: _is_like,
    InstanceOf: _is_instance,
    Not: _is_not,
    All: _all,
    Either: _any,
    InPartitions: _in_these,
}
