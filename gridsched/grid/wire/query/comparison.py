"""Comparing what an entry holds with what a query gives, which may be of another type.

The given value is converted to the type of the held one, as AbstractPredicate and TypeConverters
of a member do: text to a number, a number to text. What cannot be converted is an illegal argument.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from gridsched.grid.wire.errors import ClassCast, IllegalArgument, NumberFormat
from gridsched.grid.wire.query.serialized import Json

Number = int | float | Decimal


def converted(held: Any, given: Any) -> Any:
    """`given` as a value that compares with `held`; neither is None."""
    if type(given) is type(held) or _both_numbers(held, given):
        return given
    for kind, convert in _CONVERTERS:
        if isinstance(held, kind):
            return _converted(convert, given, held)
    return given


def is_equal(held: Any, given: Any) -> bool:
    """Whether they are equal once converted; null only equals null."""
    if held is None or given is None:
        return held is given
    return bool(_plain(held) == _plain(converted(held, given)))


def order(held: Any, given: Any) -> int:
    """Negative, 0 or positive as `held` is less than, equal to or greater than `given`."""
    left, right = _plain(held), _plain(converted(held, given))
    try:
        return int(left > right) - int(left < right)
    except TypeError:
        raise IllegalArgument(
            f"a {type(held).__name__} cannot be compared with a {type(given).__name__}"
        ) from None


def text_of(value: Any) -> str:
    """A value that must be text. ClassCast where it is not."""
    if not isinstance(value, str):
        raise ClassCast(f"a {type(value).__name__} cannot be cast to class java.lang.String")
    return value


def java_text(value: Any) -> str:
    """Java's `toString` of a value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.raw.decode(errors="replace") if isinstance(value, Json) else str(value)


def _plain(value: Any) -> Any:
    return value.parsed if isinstance(value, Json) else value


def _both_numbers(held: Any, given: Any) -> bool:
    return _is_number(held) and _is_number(given)


def _is_number(value: Any) -> bool:
    return isinstance(value, Number) and not isinstance(value, bool)


def _converted(convert: Callable[[Any], Any], given: Any, held: Any) -> Any:
    try:
        return convert(given)
    except (ValueError, TypeError, InvalidOperation):
        raise IllegalArgument(
            f"Cannot convert [{java_text(given)}] to {type(held).__name__}"
        ) from None


def _boolean(given: Any) -> bool:
    if isinstance(given, str):
        return given.lower() == "true"
    if _is_number(given):
        return bool(given)
    raise ValueError


def _number(kind: type) -> Callable[[Any], Any]:
    def convert(given: Any) -> Any:
        if not isinstance(given, str):
            raise ValueError
        try:
            return kind(given)
        except (ValueError, InvalidOperation):
            raise NumberFormat(f'For input string: "{given}"') from None

    return convert


def _uuid(given: Any) -> UUID:
    return UUID(str(given))


_CONVERTERS: Final[list[tuple[type, Callable[[Any], Any]]]] = [
    (bool, _boolean),
    (int, _number(int)),
    (float, _number(float)),
    (Decimal, _number(Decimal)),
    (str, java_text),
    (UUID, _uuid),
    (datetime, datetime.fromisoformat),
    (date, date.fromisoformat),
    (time, time.fromisoformat),
]
"""By the type of the held value; a subclass stands before its base."""
