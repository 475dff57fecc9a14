"""Cron expressions as text: what is accepted, what it means, and how refusals point at the fault."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsched.errors import InvalidCron
from gridsched.model.trigger import Dialect
from gridsched.policy.cron import next_fire
from gridsched.policy.cron_parse import (
    FIRST_YEAR,
    LAST_OCCURRENCE,
    LAST_YEAR,
    DayRule,
    WeekdayInMonth,
    parse,
)


def bits(mask: int) -> list[int]:
    return [bit for bit in range(mask.bit_length()) if mask >> bit & 1]


def mask(*values: int) -> int:
    return sum(1 << value for value in values)


@pytest.mark.parametrize(
    ("field", "hours"),
    [
        ("7", [7]),
        ("007", [7]),
        ("*", list(range(24))),
        ("*/6", [0, 6, 12, 18]),
        ("/6", [0, 6, 12, 18]),
        ("5/6", [5, 11, 17, 23]),
        ("8-11", [8, 9, 10, 11]),
        ("8-14/3", [8, 11, 14]),
        ("22-2", [0, 1, 2, 22, 23]),
        ("23-3/2", [1, 3, 23]),
        ("5-5", [5]),
        ("1,17-19,*/12", [0, 1, 12, 17, 18, 19]),
    ],
)
def test_plain_items(field: str, hours: list[int]) -> None:
    assert bits(parse(f"0 0 {field} * * ?").hours) == hours
    assert bits(parse(f"0 {field} * * *", "unix").hours) == hours


def test_names_in_any_case() -> None:
    expression = parse("0 0 9 ? jan,NOV-Feb mon-FRI")
    assert bits(expression.months) == [1, 2, 11, 12]
    assert bits(expression.days.weekdays) == [2, 3, 4, 5, 6]


def test_a_step_on_names_steps() -> None:
    assert parse("0 0 9 ? * MON-FRI/2").days == parse("0 0 9 ? * 2-6/2").days


def test_without_a_year_every_year_matches() -> None:
    years = bits(parse("0 0 0 1 1 ?").years)
    assert (FIRST_YEAR + years[0], FIRST_YEAR + years[-1]) == (FIRST_YEAR, LAST_YEAR)
    assert parse("0 0 0 1 1 ?").years == parse("0 0 0 1 1 ? *").years
    assert bits(parse("0 0 0 1 1 ? 1970,1975-1979/2").years) == [0, 5, 7, 9]


@pytest.mark.parametrize(
    ("days", "rule"),
    [
        ("15 * ?", DayRule(days=mask(15))),
        ("30-2 * ?", DayRule(days=mask(30, 31, 1, 2))),
        ("L * ?", DayRule(before_last=mask(0))),
        ("l * ?", DayRule(before_last=mask(0))),
        ("L-3 * ?", DayRule(before_last=mask(3))),
        ("LW * ?", DayRule(nearest_before_last=mask(0))),
        ("L-5W * ?", DayRule(nearest_before_last=mask(5))),
        ("15w * ?", DayRule(nearest_weekday=mask(15))),
        ("1W,15,L,L-2W * ?", DayRule(mask(15), mask(1), mask(0), mask(2))),
        ("? * L", DayRule(weekdays=mask(7))),
        ("? * FRI-MON", DayRule(weekdays=mask(6, 7, 1, 2))),
        ("? * 6L", DayRule(in_month=WeekdayInMonth(6, LAST_OCCURRENCE))),
        ("? * FRIL", DayRule(in_month=WeekdayInMonth(6, LAST_OCCURRENCE))),
        ("? * MON#5", DayRule(in_month=WeekdayInMonth(2, 5))),
    ],
)
def test_quartz_days(days: str, rule: DayRule) -> None:
    assert parse(f"0 0 0 {days}").days == rule


@pytest.mark.parametrize(
    ("days", "rule"),
    [
        ("* * *", DayRule(days=mask(*range(1, 32)))),
        ("15 * *", DayRule(days=mask(15))),
        ("* * 1-5", DayRule(weekdays=mask(2, 3, 4, 5, 6))),
        ("* * 0", DayRule(weekdays=mask(1))),
        ("* * 7", DayRule(weekdays=mask(1))),
        ("* * 5-7", DayRule(weekdays=mask(6, 7, 1))),
        ("* * sat-sun", DayRule(weekdays=mask(7, 1))),
        ("* * */2", DayRule(weekdays=mask(1, 3, 5, 7))),
        ("* * 0-7", DayRule(weekdays=mask(*range(1, 8)))),
        ("2 * 0-6", DayRule(days=mask(2), weekdays=mask(*range(1, 8)))),
        ("1,15 * 5", DayRule(days=mask(1, 15), weekdays=mask(6))),
    ],
)
def test_unix_days(days: str, rule: DayRule) -> None:
    assert parse(f"0 0 {days}", "unix").days == rule


@pytest.mark.parametrize(
    ("alias", "written"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@Midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * SUN"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 JAN *"),
    ],
)
def test_unix_aliases(alias: str, written: str) -> None:
    short, long = parse(alias, "unix"), parse(written, "unix")
    assert short.text == alias
    assert (short.minutes, short.hours, short.days, short.months) == (
        long.minutes,
        long.hours,
        long.days,
        long.months,
    )


@pytest.mark.parametrize(
    ("text", "field", "position", "says"),
    [
        ("", None, 0, "0 fields"),
        ("0 0 12 ? *", None, 10, "5 fields; expected are: seconds minutes hours"),
        ("0 0 12 ? * MON 2025 1", None, 20, "8 fields"),
        ("@daily", None, 0, "unix dialect"),
        ("60 * * * * ?", "seconds", 0, "60 is not 0-59"),
        ("0 5,60 * * * ?", "minutes", 4, "60 is not 0-59"),
        ("0 0 8-24 * * ?", "hours", 6, "24 is not 0-23"),
        ("0 0 0 0 * ?", "day-of-month", 6, "0 is not 1-31"),
        ("0 0 0 32W * ?", "day-of-month", 6, "32 is not 1-31"),
        ("0 0 0 1,L-31 * ?", "day-of-month", 8, "L-31"),
        ("0 0 0 1 13 ?", "month", 8, "13 is not 1-12"),
        ("0 0 0 ? * 0", "day-of-week", 10, "0 is not 1-7"),
        ("0 0 0 ? * 8L", "day-of-week", 10, "8 is not 1-7"),
        ("0 0 0 ? * FRI#6", "day-of-week", 13, "#1 to #5"),
        ("0 0 0 1 1 ? 2300", "year", 12, "2300 is not 1970-2299"),
        ("0 0 0 1 1 ? 2030-2025", "year", 12, "ends before it begins"),
        ("0 0/0 * * * ?", "minutes", 4, "step 0 is not 1-59"),
        ("0 0 5/24 * * ?", "hours", 6, "step 24 is not 1-23"),
        ("0 0 0 1 XXX ?", "month", 8, "'XXX' is not known: allowed are 1-12, JAN-DEC"),
        ("0 0 0 1 JANUARY ?", "month", 8, "'JANUARY' is not known"),
        ("0 0 0 ? * MON-XXX", "day-of-week", 14, "'XXX' is not known"),
        ("0 0 0 ? * MON-6", "day-of-week", 10, "mixes a name and a number"),
        ("0 MON * * * ?", "minutes", 2, "'MON' is not known: allowed are 0-59, *"),
        ("0 0 12 * * *", "day-of-week", 11, "exactly one of day-of-month and day-of-week"),
        ("0 0 12 1 * MON", "day-of-week", 11, "exactly one"),
        ("0 0 12 ? * ?", "day-of-week", 11, "exactly one"),
        ("0 0 12 ?,1 * ?", "day-of-month", 7, "'?' cannot stand here"),
        ("? 0 12 1 * ?", "seconds", 0, "'?' cannot stand here"),
        ("0 0 L 1 * ?", "hours", 4, "'L' is not known"),
        ("0 0 5- * * ?", "hours", 4, "'5-' cannot stand here"),
        ("0 0 1,,2 * * ?", "hours", 6, "'' cannot stand here"),
        ("0  0\t0 5L * ?", "day-of-month", 7, "'5L' is not known"),
        ("0 0 0 ? * 2#1,6#3", "day-of-week", 10, "'2#1' cannot stand here"),
        ("0 0 0 ? * MON,L", "day-of-week", 14, "'L' is not known"),
        ("0 0 0 ? * MON,6L", "day-of-week", 14, "'6L' is not known"),
        ("0 0 0\n* * ?", None, 11, "5 fields"),
        ("0 0 0 1 1 ? " + "9" * 5000, None, 1000, "longer than 1000"),
        ("0 0 0 ? * 99", "day-of-week", 10, "99 is not 1-7"),
    ],
)
def test_quartz_refusals(text: str, field: str | None, position: int, says: str) -> None:
    with pytest.raises(InvalidCron) as refusal:
        parse(text)
    error = refusal.value
    assert (error.expression, error.field, error.position) == (text, field, position)
    assert says in str(error)


@pytest.mark.parametrize(
    ("text", "field", "position"),
    [
        ("0 0 12 * * ?", None, 11),
        ("0 0 * *", None, 7),
        ("@reboot", None, 0),
        ("0 0 ? * *", "day-of-month", 4),
        ("0 0 L * *", "day-of-month", 4),
        ("0 0 * * 8", "day-of-week", 8),
        ("0 0 * * 5#2", "day-of-week", 8),
        ("R 0 * * *", "minutes", 0),
    ],
)
def test_unix_refusals(text: str, field: str | None, position: int) -> None:
    with pytest.raises(InvalidCron) as refusal:
        parse(text, "unix")
    assert (refusal.value.field, refusal.value.position) == (field, position)


def test_the_dialect_is_never_guessed() -> None:
    with pytest.raises(InvalidCron):
        parse("0 12 * * 1")
    with pytest.raises(InvalidCron):
        parse("0 0 12 * * ?", "unix")


def test_blanks_around_do_not_count() -> None:
    assert parse("\n 0 0  12\t* * ?\n").hours == mask(12)
    with pytest.raises(InvalidCron) as refusal:
        parse("\n 0 0 25 * * ?\n")
    assert refusal.value.position == 6


@settings(deadline=None)
@given(
    st.one_of(st.text(), st.text("0123456789 */,-?LW#@JANMOFRI\t", max_size=40)),
    st.sampled_from(["quartz", "unix"]),
)
def test_text_is_read_or_refused(text: str, dialect: Dialect) -> None:
    try:
        expression = parse(text, dialect)
    except InvalidCron as error:
        position = error.position
    else:
        position = 0
        next_fire(expression, "America/New_York", 1_700_000_000_000)
    assert 0 <= position <= len(text)


def test_parsing_again_gives_the_same_value() -> None:
    assert parse("0 0 12 * * ?") is parse("0 0 12 * * ?")
