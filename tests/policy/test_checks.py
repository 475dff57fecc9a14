"""What is wrong with a trigger is refused with the field and what is allowed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from schedule_strategies import calendar_intervals, daily_time_intervals, simples

from gridsched.errors import InvalidSchedule
from gridsched.model.dst import DstPolicy
from gridsched.model.trigger import (
    CalendarInterval,
    Cron,
    DailyTimeInterval,
    Once,
    Schedule,
    Simple,
    TimeOfDay,
    Trigger,
)
from gridsched.policy.checks import check_trigger

NOON = TimeOfDay(12)
YEAR_2300 = 10_413_792_000_000


def wrong(value: str) -> Any:
    """A value that only an untyped caller can give."""
    return value


@pytest.mark.parametrize(
    ("schedule", "part"),
    [
        (Once(-1), "at is -1 .* from 1970 to 2299"),
        (Once(YEAR_2300), "at is 10413792000000"),
        (Simple(5, 0), "repeat interval is 0 ms; it must be above 0"),
        (Simple(5, -7), "repeat interval is -7 ms"),
        (Simple(5, 1, -2), "repeat count is -2; 0 or more, or -1 for ever"),
        (Simple(5, 1, end=4), "end \\(4\\) is before start \\(5\\)"),
        (Simple(-5, 1), "start is -5"),
        (Cron("0 0 0 30 2 ?"), "names no instant"),
        (Cron("0 0 0 * * ?", "Mars/Base"), "no such time zone 'Mars/Base'"),
        (Cron("0 0 0 * * ?", start=5, end=4), "end \\(4\\) is before start"),
        (Cron("0 0 0 1 1 ? 2020", start=1_700_000_000_000), "will never fire"),
        (Cron("0 0 0 * * ?", dst=DstPolicy(wrong("never"), "both")), "dst.gap is 'never'; one of"),
        (Cron("0 0 0 * * ?", dst=DstPolicy("skip", wrong("x"))), "dst.overlap is 'x'; one of"),
        (CalendarInterval(5, 0), "interval is 0 DAY; it must be 1 or more"),
        (CalendarInterval(5, 1, wrong("CENTURY")), "interval unit is 'CENTURY'; one of SECOND"),
        (CalendarInterval(5, 1, zone="Europe/Lundon"), "did you mean Europe/London"),
        (CalendarInterval(5, 1, end=4), "end \\(4\\) is before start"),
        (DailyTimeInterval(0), "interval is 0 MINUTE; from 1 to 1440"),
        (DailyTimeInterval(25, "HOUR"), "interval is 25 HOUR; from 1 to 24"),
        (DailyTimeInterval(1, wrong("DAY")), "interval unit is 'DAY'; one of SECOND, MINUTE, HOUR"),
        (DailyTimeInterval(1, start_time_of_day=TimeOfDay(24)), "start time of day is 24:00:00"),
        (
            DailyTimeInterval(1, start_time_of_day=NOON, end_time_of_day=TimeOfDay(11, 59)),
            "end time of day \\(11:59:00\\) is before start time of day \\(12:00:00\\)",
        ),
        (DailyTimeInterval(1, days_of_week=()), "days of week are \\[\\]; some of 1"),
        (DailyTimeInterval(1, days_of_week=(0, 8)), "days of week are \\[0, 8\\]"),
        (DailyTimeInterval(1, repeat_count=-3), "repeat count is -3"),
        (DailyTimeInterval(1, zone=""), "no such time zone ''"),
    ],
)
def test_a_wrong_schedule_is_refused(schedule: Schedule, part: str) -> None:
    with pytest.raises(InvalidSchedule, match=part):
        check_trigger(Trigger(schedule))


@pytest.mark.parametrize(
    ("schedule", "misfire", "part"),
    [
        (
            Cron("0 0 0 * * ?"),
            "FIRE_NOW",
            "none of a cron trigger; one of SMART, IGNORE, FIRE_ONCE",
        ),
        (Simple(5, 1), "DO_NOTHING", "none of a simple trigger; one of SMART, IGNORE, FIRE_NOW"),
        (DailyTimeInterval(1), "FIRE_NEVER", "none of a daily_time_interval trigger"),
    ],
)
def test_a_misfire_instruction_of_another_kind_is_refused(
    schedule: Schedule, misfire: str, part: str
) -> None:
    with pytest.raises(InvalidSchedule, match=part):
        check_trigger(Trigger(schedule, misfire=wrong(misfire)))


@given(
    st.one_of(
        simples(), daily_time_intervals(), calendar_intervals(("HOUR", "DAY", "MONTH", "YEAR"))
    )
)
def test_a_trigger_is_the_same_after_its_way_through_the_grid(schedule: Schedule) -> None:
    trigger = Trigger(schedule, name="t", job="g/j")
    assert msgspec.json.decode(msgspec.json.encode(trigger), type=Trigger) == trigger
