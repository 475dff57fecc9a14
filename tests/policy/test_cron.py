"""When cron expressions fire, against three judges.

A brute-force walk over every minute around clock changes, croniter for the unix dialect, and times
written by hand. What Quartz itself answers is in tests/oracle.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest
from croniter import croniter
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gridsched.errors import InvalidSchedule
from gridsched.policy.cron import (
    default_dst,
    never_fires,
    next_fire,
    previous_fire,
)
from gridsched.policy.cron_parse import CronExpression, parse
from gridsched.policy.localtime import ELAPSED, QUARTZ, WALL_CLOCK, DstPolicy, to_local, zone

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

CHANGES = [
    ("America/New_York", "2024-03-10T07:00"),
    ("America/New_York", "2024-11-03T06:00"),
    ("Europe/London", "2026-03-29T01:00"),
    ("Europe/London", "2026-10-25T01:00"),
    ("Australia/Lord_Howe", "2024-10-05T15:30"),
    ("Australia/Lord_Howe", "2024-04-06T15:00"),
    ("America/Sao_Paulo", "2018-11-04T03:00"),
    ("America/Sao_Paulo", "2018-02-18T02:00"),
    ("Africa/Casablanca", "2024-03-10T02:00"),
    ("Africa/Casablanca", "2024-04-14T02:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),
    ("Asia/Kolkata", "2024-06-01T00:00"),
]
POLICIES = [
    DstPolicy(gap, overlap) for gap in ("skip", "after") for overlap in ("first", "second", "both")
]


def ms(utc: str) -> int:
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp()) * 1000


def fires(
    text: str, start: str, count: int, name: str = "UTC", dst: DstPolicy | None = None
) -> list[str]:
    """The next fires as local times, with the pass where an hour happens twice."""
    found, at = [], ms(start)
    for _ in range(count):
        fire = next_fire(parse(text), name, at, dst)
        if fire is None:
            break
        local = to_local(fire, zone(name))
        found.append(local.isoformat(timespec="minutes") + ("*" if local.fold else ""))
        at = fire
    return found


# --- Drawn expressions


def values(low: int, high: int) -> st.SearchStrategy[str]:
    """One field: a value, a range, a step, or a list of these. No range is of a single value, which
    croniter reads as `*`."""
    value = st.integers(low, high)
    span = st.lists(value, min_size=2, max_size=2, unique=True).map(sorted)
    item = st.one_of(
        value.map(str),
        span.map(lambda ab: f"{ab[0]}-{ab[1]}"),
        st.tuples(span, st.integers(2, 5)).map(lambda it: f"{it[0][0]}-{it[0][1]}/{it[1]}"),
        st.integers(2, high // 2).map(lambda step: f"*/{step}"),
    )
    return st.one_of(st.just("*"), st.lists(item, min_size=1, max_size=3).map(",".join))


MONTHS = st.one_of(st.just("*"), values(1, 12))
QUARTZ_DAYS = st.one_of(
    st.just(("*", "?")),
    values(1, 31).map(lambda days: (days, "?")),
    st.sampled_from(["L", "L-2", "15,L", "LW", "15W"]).map(lambda days: (days, "?")),
    values(1, 7).map(lambda days: ("?", days)),
    st.sampled_from(["L", "6L", "1#1", "2#2", "SAT,SUN", "FRI-MON"]).map(lambda days: ("?", days)),
)


@st.composite
def minutely(draw: st.DrawFn) -> CronExpression:
    """A Quartz expression that fires on whole minutes."""
    minutes, hours = draw(values(0, 59)), draw(values(0, 23))
    month_days, week_days = draw(QUARTZ_DAYS)
    return parse(f"0 {minutes} {hours} {month_days} {draw(MONTHS)} {week_days}")


# --- The walk: every minute around a clock change, and what fires in it


@cache
def walk(name: str, change: str) -> list[tuple[int, datetime, bool]]:
    """(instant, local time, whether it happens twice) of every minute of the days around."""
    tz, middle = zone(name), ms(change)
    minutes = range(middle - 26 * HOUR, middle + 26 * HOUR, MINUTE)
    locals_ = [to_local(instant, tz) for instant in minutes]
    bare = [local.replace(fold=0) for local in locals_]
    twice = {local for local in bare if bare.count(local) > 1} if len(set(bare)) < len(bare) else ()
    return [(i, local, b in twice) for i, local, b in zip(minutes, locals_, bare, strict=True)]


def is_day(expression: CronExpression, day: date) -> bool:
    """Whether a day matches, told day by day from the rule's own words."""
    rule, last = expression.days, calendar.monthrange(day.year, day.month)[1]
    weekday = day.isoweekday() % 7 + 1
    if rule.in_month is not None:
        nth_last = rule.in_month.nth == -1 and day.day + 7 > last
        return weekday == rule.in_month.weekday and (
            nth_last or (day.day - 1) // 7 + 1 == rule.in_month.nth
        )
    nearest = [n for n in range(1, last + 1) if rule.nearest_weekday >> n & 1]
    nearest += [last - n for n in range(last) if rule.nearest_before_last >> n & 1]
    workdays = [d for d in range(1, last + 1) if date(day.year, day.month, d).weekday() < 5]
    return bool(
        rule.days >> day.day & 1
        or rule.weekdays >> weekday & 1
        or rule.before_last >> (last - day.day) & 1
        or any(day.day == min(workdays, key=lambda d: abs(d - n)) for n in nearest)
    )


def matcher(expression: CronExpression) -> Callable[[datetime], bool]:
    day_matches = cache(lambda day: is_day(expression, day))

    def matches(local: datetime) -> bool:
        return bool(
            expression.minutes >> local.minute & 1
            and expression.hours >> local.hour & 1
            and expression.months >> local.month & 1
            and day_matches(local.date())
        )

    return matches


def brute(expression: CronExpression, name: str, change: str, dst: DstPolicy) -> list[int]:
    """Every fire of the walk."""
    matches = matcher(expression)
    wanted_fold = {"first": [0], "second": [1], "both": [0, 1]}[dst.overlap]
    found = []
    expected: datetime | None = None
    for instant, local, twice in walk(name, change):
        fire = matches(local) and (not twice or local.fold in wanted_fold)
        if expected is not None and local > expected and dst.gap == "after":
            skipped = (local - expected) // timedelta(minutes=1)
            fire = fire or any(matches(expected + timedelta(minutes=m)) for m in range(skipped))
        if fire:
            found.append(instant)
        expected = local.replace(fold=0) + timedelta(minutes=1)
    return found


def moves_on(expression: CronExpression) -> bool:
    """Whether nW may move to a Monday, on which only the first time fires (see tests/oracle)."""
    return bool(expression.days.nearest_weekday or expression.days.nearest_before_last)


@settings(deadline=None)
@given(minutely(), st.sampled_from(CHANGES), st.sampled_from(POLICIES))
def test_fires_are_those_of_a_walk(
    expression: CronExpression, change: tuple[str, str], dst: DstPolicy
) -> None:
    assume(not moves_on(expression))
    name = change[0]
    instants = [instant for instant, *_ in walk(*change)]
    start, end = instants[0] - 1, instants[-1]
    expected = brute(expression, *change, dst)

    forwards, at = [], next_fire(expression, name, start, dst)
    while at is not None and at <= end:
        forwards.append(at)
        at = next_fire(expression, name, at, dst)
    assert forwards == expected

    backwards, at = [], previous_fire(expression, name, end + 1, dst)
    while at is not None and at > start:
        backwards.append(at)
        at = previous_fire(expression, name, at, dst)
    assert backwards[::-1] == expected


@settings(deadline=None)
@given(minutely(), st.sampled_from(CHANGES), st.sampled_from(POLICIES), st.integers(-DAY, DAY))
def test_from_any_instant_the_fires_are_the_same(
    expression: CronExpression, change: tuple[str, str], dst: DstPolicy, offset: int
) -> None:
    assume(not moves_on(expression))
    at = ms(change[1]) + offset
    expected = brute(expression, *change, dst)
    later = [fire for fire in expected if fire > at]
    earlier = [fire for fire in expected if fire < at]
    if later:
        assert next_fire(expression, change[0], at, dst) == later[0]
    if earlier:
        assert previous_fire(expression, change[0], at, dst) == earlier[-1]


@settings(deadline=None)
@given(
    minutely(),
    st.sampled_from([name for name, _ in CHANGES]),
    st.integers(ms("1990-01-01"), ms("2060-01-01")),
    st.sampled_from([*POLICIES, None]),
)
def test_previous_inverts_next(
    expression: CronExpression, name: str, at: int, dst: DstPolicy | None
) -> None:
    fire = next_fire(expression, name, at, dst)
    assume(fire is not None)
    assert fire > at
    assert previous_fire(expression, name, fire + 1, dst) == fire
    before = previous_fire(expression, name, fire, dst)
    assert before is None or before <= at
    after = next_fire(expression, name, fire, dst)
    if after is not None:
        assert after > fire
        assert previous_fire(expression, name, after, dst) == fire


@settings(deadline=None)
@given(
    st.tuples(values(0, 59), values(0, 23), values(1, 31), values(1, 12), values(0, 6)),
    st.integers(ms("1990-01-01"), ms("2060-01-01")),
)
def test_the_unix_dialect_is_croniters(fields: tuple[str, ...], start: int) -> None:
    text = " ".join(fields)
    expression = parse(text, "unix")
    assume(not never_fires(expression))
    reference = croniter(text, start / 1000, max_years_between_matches=20)
    at: int | None = start
    for _ in range(4):
        at = next_fire(expression, "UTC", at, QUARTZ)
        assert at == int(reference.get_next(float)) * 1000


def test_a_list_of_every_weekday_is_restricted() -> None:
    expression = parse("0 0 2 * 0-5,*/2", "unix")
    assert next_fire(expression, "UTC", ms("1990-01-04"), None) == ms("1990-01-05")


@pytest.mark.parametrize("every_day", ["*", "*/1", "0-6"])
def test_every_weekday_beside_a_field_with_a_star_leaves_the_day_to_that(every_day: str) -> None:
    expression = parse(f"0 0 */2 * {every_day}", "unix")
    assert next_fire(expression, "UTC", ms("1990-01-05"), None) == ms("1990-01-07")


# --- By hand


def test_seconds_and_years() -> None:
    expression = parse("10,50 59 23 31 12 ? 2025/2")
    start = ms("2024-01-01")
    first = next_fire(expression, "UTC", start)
    assert first == ms("2025-12-31T23:59:10")
    assert next_fire(expression, "UTC", first) == ms("2025-12-31T23:59:50")
    assert next_fire(expression, "UTC", ms("2025-12-31T23:59:50")) == ms("2027-12-31T23:59:10")


def test_the_part_of_a_second_that_has_passed_does_not_count() -> None:
    second = parse("* * * * * ?")
    assert next_fire(second, "UTC", 1_000) == 2_000
    assert next_fire(second, "UTC", 999) == 1_000
    assert previous_fire(second, "UTC", 1_000) == 0
    assert previous_fire(second, "UTC", 1_001) == 1_000


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("0 0 9 L * ?", ["01-31", "02-29", "03-31"]),
        ("0 0 9 L-30 * ?", ["01-01", "03-01", "05-01"]),
        ("0 0 9 LW * ?", ["01-31", "02-29", "03-29"]),
        ("0 0 9 1W * ?", ["01-01", "02-01", "03-01", "04-01", "05-01", "06-03"]),
        ("0 0 9 31W * ?", ["01-31", "03-29", "05-31"]),
        ("0 0 9 ? * 6L", ["01-26", "02-23", "03-29"]),
        ("0 0 9 ? * MON#5", ["01-29", "04-29", "07-29"]),
        ("0 0 9 ? * L", ["01-06", "01-13", "01-20"]),
        ("0 0 9 29 2 ?", ["02-29", "02-29"]),
        ("0 0 9 15W,20 * ?", ["01-15", "01-20", "02-15", "02-20"]),
    ],
)
def test_days(text: str, days: list[str]) -> None:
    found = fires(text, "2023-12-31T12:00", len(days))
    assert [fire[5:10] for fire in found] == days


def test_a_weekday_moved_on_to_a_monday_fires_at_its_first_time_only() -> None:
    assert fires("0 0 9,10 22W * ?", "2024-12-01", 3) == [
        "2024-12-23T09:00",
        "2025-01-22T09:00",
        "2025-01-22T10:00",
    ]
    twice = parse("0 0 9,10 22W * ?")
    assert previous_fire(twice, "UTC", ms("2025-01-01")) == ms("2024-12-23T09:00")


def test_unix_days_of_month_or_week() -> None:
    expression = parse("0 12 13 * 5", "unix")
    at, days = ms("2024-09-01"), []
    for _ in range(5):
        at = next_fire(expression, "UTC", at) or 0
        days.append(to_local(at, zone("UTC")).day)
    assert days == [6, 13, 20, 27, 4]


@pytest.mark.parametrize(
    "text", ["0 0 0 30 2 ?", "0 0 0 31 2,4,6,9,11 ?", "0 0 0 L-29 2 ?", "0 0 0 29 2 ? 2100"]
)
def test_what_never_fires_is_known(text: str) -> None:
    assert never_fires(parse(text))
    began = time.process_time()
    assert next_fire(parse(text), "America/New_York", ms("2024-01-01")) is None
    assert previous_fire(parse(text), "America/New_York", ms("2200-01-01")) is None
    assert time.process_time() - began < 0.05


def test_a_time_that_falls_into_the_gap_of_every_year_is_searched_to_the_horizon() -> None:
    expression = parse("* * 2 ? 3 1#2")
    began = time.process_time()
    assert next_fire(expression, "America/New_York", ms("2024-01-01"), QUARTZ) is None
    assert time.process_time() - began < 0.05
    at_three = next_fire(expression, "America/New_York", ms("2024-01-01"), WALL_CLOCK)
    assert at_three == ms("2024-03-10T07:00")


def test_years_gone_by_never_fire_again() -> None:
    past = parse("0 0 0 1 1 ? 2020")
    assert not never_fires(past)
    assert next_fire(past, "UTC", ms("2020-01-01")) is None
    assert previous_fire(past, "UTC", ms("2024-01-01")) == ms("2020-01-01")
    assert previous_fire(past, "UTC", ms("2020-01-01")) is None


def test_nothing_fires_past_the_horizon() -> None:
    daily = parse("0 0 0 * * ?")
    assert next_fire(daily, "UTC", ms("2299-12-30")) == ms("2299-12-31")
    assert next_fire(daily, "UTC", ms("2299-12-31")) is None
    assert next_fire(daily, "UTC", ms("1960-01-01")) == 0
    assert previous_fire(daily, "UTC", ms("2400-01-01")) == ms("2299-12-31")


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(InvalidSchedule):
        next_fire(parse("0 0 0 * * ?"), "Europe/Nowhere", 0)


# --- The defaults for clock changes


@pytest.mark.parametrize(
    ("text", "dst"),
    [
        ("0 0 * * * ?", ELAPSED),
        ("0 30 * * * ?", ELAPSED),
        ("0 30 0-23 * * ?", ELAPSED),
        ("0 0/15 * * * ?", ELAPSED),
        ("* * * * * ?", ELAPSED),
        ("0 0/30 0-5 * * ?", ELAPSED),
        ("0 0/30 23,0 * * ?", ELAPSED),
        ("0 30 2 * * ?", WALL_CLOCK),
        ("0 0 1-5 * * ?", WALL_CLOCK),
        ("0 0/15 1 * * ?", WALL_CLOCK),
        ("0 0,30 1,3,5 * * ?", WALL_CLOCK),
        ("0 0 0/2 * * ?", WALL_CLOCK),
    ],
)
def test_the_default_is_told_from_the_expression(text: str, dst: DstPolicy) -> None:
    assert default_dst(parse(text)) == dst


def test_a_time_of_day_fires_once_on_each_day_by_default() -> None:
    new_york = "America/New_York"
    assert fires("0 30 2 * * ?", "2024-03-09T12:00", 2, new_york) == [
        "2024-03-10T03:00",
        "2024-03-11T02:30",
    ]
    assert fires("0 30 1 * * ?", "2024-11-02T12:00", 2, new_york) == [
        "2024-11-03T01:30",
        "2024-11-04T01:30",
    ]
    # Several skipped times, and one that is due at the end of the gap anyway, are one fire.
    assert fires("0 10,50 2 * * ?", "2024-03-09T12:00", 2, new_york) == [
        "2024-03-10T03:00",
        "2024-03-11T02:10",
    ]
    assert fires("0 0 2,3 * * ?", "2024-03-09T12:00", 2, new_york) == [
        "2024-03-10T03:00",
        "2024-03-11T02:00",
    ]


def test_an_hourly_schedule_goes_on_through_both_passes_by_default() -> None:
    assert fires("0 30 * * * ?", "2024-11-03T04:00", 4, "America/New_York") == [
        "2024-11-03T00:30",
        "2024-11-03T01:30",
        "2024-11-03T01:30*",
        "2024-11-03T02:30",
    ]
    assert fires("0 30 * * * ?", "2024-03-10T06:00", 2, "America/New_York") == [
        "2024-03-10T01:30",
        "2024-03-10T03:30",
    ]


def test_quartz_is_silent_in_the_first_pass() -> None:
    assert fires("0 0/15 * * * ?", "2024-11-03T04:40", 2, "America/New_York", QUARTZ) == [
        "2024-11-03T00:45",
        "2024-11-03T01:00*",
    ]
    assert fires("0 30 2 * * ?", "2024-03-09T12:00", 1, "America/New_York", QUARTZ) == [
        "2024-03-11T02:30"
    ]


def test_a_skipped_day_is_made_up_for_when_the_next_one_begins() -> None:
    assert fires("0 0 12 * * ?", "2011-12-29T12:00", 3, "Pacific/Apia") == [
        "2011-12-29T12:00",
        "2011-12-31T00:00",
        "2011-12-31T12:00",
    ]
    assert fires("0 0 12 * * ?", "2011-12-30T00:00", 1, "Pacific/Apia", QUARTZ) == [
        "2011-12-31T12:00"
    ]


@settings(deadline=None)
@given(
    st.sampled_from([change for change in CHANGES if change[0] != "Pacific/Apia"]),
    st.integers(0, 23),
    st.integers(0, 59),
)
def test_by_default_no_day_is_missed_or_doubled(
    change: tuple[str, str], hour: int, minute: int
) -> None:
    name = change[0]
    expression = parse(f"0 {minute} {hour} * * ?")
    at = ms(change[1]) - 10 * DAY
    days = []
    while len(days) < 20:
        at = next_fire(expression, name, at) or 0
        days.append(to_local(at, zone(name)).date())
    assert days == [days[0] + timedelta(days=n) for n in range(20)]


@settings(deadline=None)
@given(st.sampled_from(CHANGES), st.sampled_from([1, 5, 10, 15, 30]))
def test_by_default_a_repeating_schedule_keeps_its_interval(
    change: tuple[str, str], minutes: int
) -> None:
    at = ms(change[1]) - 3 * HOUR
    expression = parse(f"0 0/{minutes} * * * ?")
    for _ in range(6 * 60 // minutes):
        fire = next_fire(expression, change[0], at)
        assert fire == at + minutes * MINUTE
        at = fire
