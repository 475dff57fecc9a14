"""The predicates that clients send, and which entries they match.

Each class is a named tuple of what was sent. `matcher` turns a predicate into a function of an
entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from gridsched.grid.data import partition_of
from gridsched.grid.wire.errors import IllegalArgument
from gridsched.grid.wire.query.attributes import Entry, Many, attribute
from gridsched.grid.wire.query.comparison import is_equal, order, text_of


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
