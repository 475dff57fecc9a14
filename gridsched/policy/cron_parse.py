"""Cron expressions, parsed and checked once into bit masks.

Two dialects, chosen by the caller and never guessed:

quartz   seconds minutes hours day-of-month month day-of-week [year]; exactly one of the two day
         fields is `?`. The rules are those of Quartz's CronExpression (2.5); where this departs from
         it, see docs/quartz-compatibility.md.
unix     minutes hours day-of-month month day-of-week, or an alias such as @daily (crontab(5)). Where
         both day fields are restricted, either may match.

In both: `*`, numbers, names, ranges `a-b` (which may wrap: 22-2, FRI-MON), steps `*/n` `a/n` `a-b/n`,
and lists of these, in upper or lower case.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple, NoReturn

from msgspec import Struct

from gridsched.errors import InvalidCron
from gridsched.model.trigger import Dialect
from gridsched.model.weekdays import DAY_NAMES

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2299
"""The horizon: nothing fires after this year. Quartz's is 100 years from now, so needs a clock."""

MAX_LENGTH: Final = 1000
"""Longest expression, in characters; one that lists every value of every field has some 500."""

LAST_OCCURRENCE: Final = -1
"""As `WeekdayInMonth.nth`: the last one in the month."""


class WeekdayInMonth(Struct, frozen=True, cache_hash=True):
    """The nth `weekday` (1=SUN..7=SAT) of a month; `nth` is 1..5 or LAST_OCCURRENCE."""

    weekday: int
    nth: int


class DayRule(Struct, frozen=True, cache_hash=True):
    """Which days of a month match: those that any of these parts names.

    Masks: in `days` and `nearest_weekday` bit n is day n (1..31); in `before_last` and
    `nearest_before_last` bit n is the day n days before the month's last (0..30); in `weekdays`
    bit n is a day of the week, 1=SUN..7=SAT.
    """

    days: int = 0
    nearest_weekday: int = 0
    before_last: int = 0
    nearest_before_last: int = 0
    weekdays: int = 0
    in_month: WeekdayInMonth | None = None


class CronExpression(Struct, frozen=True, cache_hash=True):
    """A checked cron expression. Made by `parse` only.

    Masks: bit n of `seconds`, `minutes` (0..59), `hours` (0..23) and `months` (1..12) is value n;
    bit n of `years` is FIRST_YEAR + n.
    """

    text: str
    dialect: Dialect
    seconds: int
    minutes: int
    hours: int
    days: DayRule
    months: int
    years: int


class _Field(NamedTuple):
    """What one field takes. `names[i]` means `low + i`; `*` and `a/n` end at `last`.

    `last` differs from `high` where a value can be written in two ways (0 and 7 are both Sunday).
    `listed` and `alone` say what else may stand in a list, and what only by itself.
    """

    name: str
    low: int
    last: int
    high: int
    max_step: int
    names: tuple[str, ...] = ()
    wraps: bool = True
    listed: str = ""
    alone: str = ""

    def allowed(self) -> str:
        named = f", {self.names[0]}-{self.names[-1]}" if self.names else ""
        listed = f", {self.listed}" if self.listed else ""
        alone = f"; alone {self.alone}" if self.alone else ""
        return (
            f"allowed are {self.low}-{self.high}{named}, *, ranges a-b, steps */n a/n a-b/n{listed}"
            f", and lists of these{alone}"
        )


_MONTHS: Final = (
    *("JAN", "FEB", "MAR", "APR", "MAY", "JUN"),
    *("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
)

_SECONDS: Final = _Field("seconds", 0, 59, 59, 59)
_MINUTES: Final = _Field("minutes", 0, 59, 59, 59)
_HOURS: Final = _Field("hours", 0, 23, 23, 23)
_DAY_OF_MONTH: Final = _Field("day-of-month", 1, 31, 31, 31)
_QUARTZ_DAY_OF_MONTH: Final = _DAY_OF_MONTH._replace(listed="L, L-n, LW, L-nW, nW", alone="?")
_MONTH: Final = _Field("month", 1, 12, 12, 12, _MONTHS)
_QUARTZ_DAY_OF_WEEK: Final = _Field("day-of-week", 1, 7, 7, 7, DAY_NAMES, alone="L, nL, n#k, ?")
_UNIX_DAY_OF_WEEK: Final = _Field("day-of-week", 0, 6, 7, 7, DAY_NAMES)
_YEAR: Final = _Field("year", FIRST_YEAR, LAST_YEAR, LAST_YEAR, LAST_YEAR - FIRST_YEAR, wraps=False)

_ALL_DAYS: Final = (2 << 31) - 2
_ALLDAY_NAMES: Final = (2 << 7) - 2
_ALL_YEARS: Final = (2 << (LAST_YEAR - FIRST_YEAR)) - 1

_UNIX_ALIASES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_WORD: Final = re.compile(r"[^ \t]+")
_RANGE: Final = re.compile(
    # "/n" stands for "*/n", as Quartz documents it
    r"(?:(?P<all>\*|(?=/))|(?P<first>[0-9A-Z]+)(?:-(?P<last>[0-9A-Z]+))?)(?:/(?P<step>[0-9]+))?"
)
_NEAREST_WEEKDAY: Final = re.compile(r"([0-9]+)W")
_BEFORE_LAST: Final = re.compile(r"L(?:-([0-9]+))?(W?)")
_WEEKDAY_IN_MONTH: Final = re.compile(r"([0-9A-Z]+)(?:L|#([0-9]+))")


class _Part(NamedTuple):
    """A piece of an expression, and where it stands in it."""

    expression: str
    field: _Field
    text: str
    position: int

    def fail(self, message: str, offset: int = 0) -> NoReturn:
        raise InvalidCron(
            self.expression, message, field=self.field.name, position=self.position + offset
        )

    def items(self) -> list[_Part]:
        """The parts between commas."""
        found = []
        position = self.position
        for text in self.text.split(","):
            found.append(self._replace(text=text, position=position))
            position += len(text) + 1
        return found


@lru_cache(maxsize=4096)
def parse(expression: str, dialect: Dialect = "quartz") -> CronExpression:
    """The checked expression; InvalidCron names the field and the 0-based position at fault."""
    if len(expression) > MAX_LENGTH:
        raise InvalidCron(expression, f"longer than {MAX_LENGTH} characters", position=MAX_LENGTH)
    if dialect == "unix":
        return _parse_unix(expression)
    return _parse_quartz(expression)


def _parse_quartz(expression: str) -> CronExpression:
    fields = (_SECONDS, _MINUTES, _HOURS, _QUARTZ_DAY_OF_MONTH, _MONTH, _QUARTZ_DAY_OF_WEEK, _YEAR)
    parts = _split(expression, fields, optional=1)
    seconds, minutes, hours, month_days, months, week_days = parts[:6]
    return CronExpression(
        text=expression,
        dialect="quartz",
        seconds=_values(seconds),
        minutes=_values(minutes),
        hours=_values(hours),
        days=_quartz_days(month_days, week_days),
        months=_values(months),
        years=_values(parts[6]) >> FIRST_YEAR if len(parts) == 7 else _ALL_YEARS,
    )


def _parse_unix(expression: str) -> CronExpression:
    fields = (_MINUTES, _HOURS, _DAY_OF_MONTH, _MONTH, _UNIX_DAY_OF_WEEK)
    written = _UNIX_ALIASES.get(expression.strip().lower(), expression)
    minutes, hours, month_days, months, week_days = _split(written, fields)
    return CronExpression(
        text=expression,
        dialect="unix",
        seconds=1,
        minutes=_values(minutes),
        hours=_values(hours),
        days=_unix_days(month_days, week_days),
        months=_values(months),
        years=_ALL_YEARS,
    )


def _split(expression: str, fields: tuple[_Field, ...], optional: int = 0) -> list[_Part]:
    """The expression's fields. Between them stand blanks or tabs, as in Quartz and crontab(5)."""
    if expression.lstrip().startswith("@"):
        known = " ".join(_UNIX_ALIASES)
        raise InvalidCron(
            expression, f"unknown here; the aliases, all of the unix dialect, are: {known}"
        )
    text = expression.rstrip()
    words = list(_WORD.finditer(text, len(text) - len(text.lstrip())))
    if not len(fields) - optional <= len(words) <= len(fields):
        names = " ".join(field.name for field in fields[: len(fields) - optional])
        names += "".join(f" [{field.name}]" for field in fields[len(fields) - optional :])
        surplus = words[len(fields)].start() if len(words) > len(fields) else len(expression)
        crontab = "" if optional == 0 or len(words) != 5 else "; five are of the dialect unix"
        raise InvalidCron(
            expression, f"{len(words)} fields; expected are: {names}{crontab}", position=surplus
        )
    return [
        _Part(expression, field, word.group().upper(), word.start())
        for field, word in zip(fields, words, strict=False)
    ]


def _values(part: _Part) -> int:
    """The mask of a field of plain items."""
    mask = 0
    for item in part.items():
        mask |= _range(item)
    return mask


def _range(item: _Part) -> int:
    """The mask of `*`, a value or a range, each perhaps with a step."""
    match = _RANGE.fullmatch(item.text)
    if match is None:
        item.fail(f"{item.text!r} cannot stand here: {item.field.allowed()}")
    step = _step(item, match)
    if match["all"] is not None:
        return _mask(item.field, item.field.low, item.field.last, step or 1)
    first = _value(item, match["first"])
    if match["last"] is None:
        last = first if step is None else max(first, item.field.last)
        return _mask(item.field, first, last, step or 1)
    last = _value(item, match["last"], match.start("last"))
    if match["first"].isdecimal() != match["last"].isdecimal():
        item.fail(f"{item.text!r} mixes a name and a number")
    if last < first and not item.field.wraps:
        item.fail(f"{item.text!r} ends before it begins")
    return _mask(item.field, first, last, step or 1)


def _step(item: _Part, match: re.Match[str]) -> int | None:
    if match["step"] is None:
        return None
    step = int(match["step"])
    if not 1 <= step <= item.field.max_step:
        item.fail(f"step {step} is not 1-{item.field.max_step}", match.start("step"))
    return step


def _value(item: _Part, text: str, offset: int = 0) -> int:
    """A number or a name, checked."""
    field = item.field
    if text in field.names:
        return field.low + field.names.index(text)
    if not text.isdecimal():
        item.fail(f"{text!r} is not known: {field.allowed()}", offset)
    if not field.low <= int(text) <= field.high:
        item.fail(f"{text} is not {field.low}-{field.high}", offset)
    return int(text)


def _mask(field: _Field, first: int, last: int, step: int) -> int:
    """The bits of every step-th value from first to last, on past the field's end where it wraps."""
    size = field.last - field.low + 1
    length = last - first if last >= first else (last - first) % size
    mask = 0
    for value in range(first, first + length + 1, step):
        mask |= 1 << (value if value <= field.high else value - size)
    return mask


def _quartz_days(month_days: _Part, week_days: _Part) -> DayRule:
    """The rule of the day field that is not `?`; the other one must be."""
    rules = []
    if month_days.text != "?":
        rules.append(_month_days(month_days))
    if week_days.text != "?":
        rules.append(_week_days(week_days))
    if len(rules) != 1:
        week_days.fail("exactly one of day-of-month and day-of-week must be ?")
    return rules[0]


def _month_days(part: _Part) -> DayRule:
    """Quartz's day of the month: plain items, nW, L, L-n, LW and L-nW in any mixture."""
    days = nearest = before_last = nearest_before_last = 0
    for item in part.items():
        if match := _NEAREST_WEEKDAY.fullmatch(item.text):
            nearest |= 1 << _value(item, match[1])
        elif match := _BEFORE_LAST.fullmatch(item.text):
            offset = int(match[1] or 0)
            if offset > 30:
                item.fail(f"L-{offset} is not L-0 to L-30")
            if match[2]:
                nearest_before_last |= 1 << offset
            else:
                before_last |= 1 << offset
        else:
            days |= _range(item)
    return DayRule(days, nearest, before_last, nearest_before_last)


def _week_days(part: _Part) -> DayRule:
    """Quartz's day of the week: L (which is Saturday), nL or n#k alone, else plain items."""
    if part.text == "L":
        return DayRule(weekdays=1 << 7)
    match = _WEEKDAY_IN_MONTH.fullmatch(part.text)
    if match is None:
        return DayRule(weekdays=_values(part))
    weekday = _value(part, match[1])
    if match[2] is None:
        return DayRule(in_month=WeekdayInMonth(weekday, LAST_OCCURRENCE))
    if not 1 <= int(match[2]) <= 5:
        part.fail(f"#{match[2]} is not #1 to #5", match.start(2) - 1)
    return DayRule(in_month=WeekdayInMonth(weekday, int(match[2])))


def _unix_days(month_days: _Part, week_days: _Part) -> DayRule:
    """Either field if both are restricted, else the one that is (crontab(5)). A field that matches every
    day is not restricted where it says `*`, or where the other has a step through all, as `*/2`."""
    days, numbered_from_zero = _values(month_days), _values(week_days)
    weekdays = (numbered_from_zero << 1 | numbered_from_zero >> 6) & _ALLDAY_NAMES
    if weekdays == _ALLDAY_NAMES and _is_free(week_days, month_days):
        return DayRule(days=days)
    if days == _ALL_DAYS and _is_free(month_days, week_days):
        return DayRule(weekdays=weekdays)
    return DayRule(days=days, weekdays=weekdays)


def _is_free(every_day: _Part, other: _Part) -> bool:
    return every_day.text in ("*", "*/1") or "*/" in other.text
