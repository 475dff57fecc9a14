"""Kinds of values: how the text of an element is read."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NoReturn

from gridsched.config import durations
from gridsched.config.schema import Kind
from gridsched.config.xml_reader import Element
from gridsched.model.dst import DstPolicy
from gridsched.model.job import UNTIL_DISCARDED, check_data
from gridsched.model.trigger import TimeOfDay
from gridsched.policy import calendar_forms, dispatch_forms, localtime, misfire

_DIGITS: Final = 18
_WHOLE: Final = re.compile(rf"[+-]?[0-9]{{1,{_DIGITS}}}")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_JSON_SCALAR: Final = re.compile(
    r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
)
_SEED_TIME: Final = re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}:[0-9]{3}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FLAGS: Final = {"true": True, "false": False}
_ONCE_EACH: Final = localtime.DstPolicy("skip", "first")
"""A start or an end is one instant: the first of two, and none that the clocks skip."""


def _text(element: Element) -> str:
    """Lines that a formatter broke are one again."""
    return " ".join(element.text.split())


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a whole number of at most {_DIGITS} digits")
    return int(text)


def whole(unit: str, least: int | None = None) -> Kind:
    """A whole number, not below `least` where that is given."""

    def read(element: Element) -> int:
        number = _whole(element.text)
        if least is not None and number < least:
            raise ValueError(f"is {number}; it must be at least {least}")
        return number

    return Kind(unit, read)


def _number(element: Element) -> float:
    number = float(element.text) if _NUMBER.fullmatch(element.text) else math.nan
    if not math.isfinite(number):
        raise ValueError(f"{element.text!r} is not a number")
    return number


def _flag(element: Element) -> bool:
    if element.text not in _FLAGS:
        raise ValueError(f"{element.text!r} is neither true nor false")
    return _FLAGS[element.text]


def _switch(element: Element) -> bool:
    return not element.text or _flag(element)


def one_of(names: Iterable[str], normal: Callable[[str], str] = str) -> Kind:
    """One of these words; `normal` brings other ways to write them into theirs."""
    known = tuple(names)

    def read(element: Element) -> str:
        word = normal(element.text)
        if word not in known:
            raise ValueError(f"{element.text!r} is not known; one of {', '.join(known)}")
        return word

    return Kind(" or ".join(known), read)


def _misfire_name(text: str) -> str:
    """Quartz's constant (MISFIRE_INSTRUCTION_…, …_POLICY) as the name that it has here."""
    name = text.upper().removeprefix("MISFIRE_INSTRUCTION_")
    return name.removesuffix("_POLICY").removesuffix("_MISFIRE")


def _instant(element: Element) -> int:
    """Epoch ms of the seed's `MM/dd/yyyy HH:mm:ss:SSS` in @zone, or of ISO 8601 with its offset."""
    zone = element.attributes.get("zone")
    local = _seed_time(element.text)
    if local is not None:
        return _resolve(local, zone or "UTC")
    moment = _iso_time(element.text)
    if moment is None or moment.tzinfo is None:
        raise ValueError(
            f"{element.text!r} is not an instant: write MM/dd/yyyy HH:mm:ss:SSS, with the attribute "
            "zone if not in UTC, or ISO 8601 with an offset (2030-01-31T08:00:00+01:00)"
        )
    if zone is not None:
        raise ValueError(f"{element.text!r} has an offset of its own: remove the attribute zone")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _seed_time(text: str) -> datetime | None:
    if not _SEED_TIME.fullmatch(text):
        return None
    return datetime.strptime(text, "%m/%d/%Y %H:%M:%S:%f")  # noqa: DTZ007 - local on purpose


def _iso_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _resolve(local: datetime, zone: str) -> int:
    instants = localtime.to_instants(local, localtime.zone(zone), _ONCE_EACH)
    if not instants:
        raise ValueError(f"{local} does not exist in {zone}: the clocks skip it")
    return instants[0]


def _zone(element: Element) -> str:
    return str(localtime.zone(element.text))


def written(unit: str, read: Callable[[str], Any]) -> Kind:
    """A value that `read` makes of text."""
    return Kind(unit, lambda element: read(_text(element)))


def _time_of_day(text: str) -> TimeOfDay:
    at = calendar_forms.time_of_day(text)
    if at.microsecond:
        raise ValueError(f"{text!r} is not in whole seconds")
    return TimeOfDay(at.hour, at.minute, at.second)


def _seconds(element: Element) -> float:
    return durations.parse(element.text, bare=None) / 1000


def _retention(element: Element) -> float | str:
    text = _text(element)
    return text if text == UNTIL_DISCARDED else _seconds(element)


def _expiry(element: Element) -> int:
    milliseconds = durations.parse(element.text, bare="S")
    if milliseconds == 0:
        raise ValueError("0 is for ever in Coherence, and would fill the grid; write a long delay")
    return milliseconds


def _entry(element: Element) -> tuple[str, Any]:
    """One entry of a data map: @key and the value, read by @type."""
    key = element.attributes.get("key")
    if not key:
        raise ValueError("the attribute key is missing")
    kind = element.attributes.get("type", "auto")
    if kind not in DATA_TYPES:
        raise ValueError(f"type {kind!r} is not known; one of {', '.join(DATA_TYPES)}")
    value = DATA_TYPES[kind](element)
    check_data({key: value}, "the entry")
    return key, value


def _attribute(element: Element) -> tuple[str, str]:
    """An attribute of a node: @name and its value."""
    name = element.attributes.get("name")
    if not name:
        raise ValueError("the attribute name is missing")
    return name, element.text


def _guessed(element: Element) -> Any:
    return _json(element) if _JSON_SCALAR.fullmatch(element.text) else element.text


def _json(element: Element) -> Any:
    try:
        return json.loads(element.text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error}") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}")


DATA_TYPES: Final[dict[str, Callable[[Element], Any]]] = {
    "auto": _guessed,
    "string": lambda element: element.text,
    "int": lambda element: _whole(element.text),
    "float": _number,
    "bool": _flag,
    "json": _json,
}
"""How an entry of a data map is read, by its attribute `type`."""

TEXT: Final = Kind("text", _text)
NUMBER: Final = Kind("number", _number)
FLAG: Final = Kind("true or false", _flag)
SWITCH: Final = Kind("true or false; empty is true", _switch, keeps_empty=True)
DURATION: Final = Kind("duration; bare: ms", lambda element: durations.parse(element.text))
SECONDS: Final = Kind("duration with its unit", _seconds)
RETENTION: Final = Kind(f"duration with its unit, or {UNTIL_DISCARDED}", _retention)
EXPIRY: Final = Kind("duration; bare: seconds", _expiry)
INSTANT: Final = Kind("instant", _instant, attributes=("zone",))
CRON: Final = Kind("cron expression", _text)
DST: Final = written("skip or after, a comma, and first or second or both", DstPolicy.parse)
TIME_OF_DAY: Final = written("time of day, such as 08:30", _time_of_day)
DAYS_OF_WEEK: Final = written("days, such as MON,FRI", calendar_forms.days_of_week)
POLICY: Final = written("dispatcher policy", dispatch_forms.parse_policy)
ATTRIBUTE: Final = Kind("text", _attribute, keeps_empty=True, attributes=("name",))
ZONE: Final = Kind("IANA time zone", _zone)
MISFIRE_OF_SIMPLE: Final = one_of(misfire.OF_SIMPLE, _misfire_name)
MISFIRE_OF_OTHERS: Final = one_of(misfire.OF_OTHERS, _misfire_name)
ENTRY: Final = Kind("value", _entry, keeps_empty=True, attributes=("key", "type"))
