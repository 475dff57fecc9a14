"""The builders of triggers: what they make, and what they refuse where it is written."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from gridsched import DstPolicy, calendar_interval, cron, daily_time_interval, every, once
from gridsched.errors import GridschedError, InvalidCron, InvalidSchedule
from gridsched.model.trigger import (
    WHEN_SUBMITTED,
    CalendarInterval,
    Cron,
    DailyTimeInterval,
    Once,
    Schedule,
    Simple,
    TimeOfDay,
    Trigger,
)

START = datetime(2030, 1, 31, 8, tzinfo=UTC)
MS = 1_896_076_800_000
LATER = START + timedelta(days=1)
LATER_MS = MS + 86_400_000
QUARTZ = DstPolicy("skip", "second")


@pytest.mark.parametrize(
    ("trigger", "schedule"),
    [
        (once(START), Once(MS)),
        (once(), Once(WHEN_SUBMITTED)),
        (every(1.5, start=START, end=LATER, repeat_count=3), Simple(MS, 1500, 3, LATER_MS)),
        (
            cron("0 8 * * *", "Europe/London", dialect="unix", start=START, dst=QUARTZ),
            Cron("0 8 * * *", "Europe/London", MS, None, "unix", QUARTZ),
        ),
        (calendar_interval(2), CalendarInterval(WHEN_SUBMITTED, 2)),
        (
            calendar_interval(1, "MONTH", zone="Asia/Tokyo", start=START, end=LATER, dst=QUARTZ),
            CalendarInterval(MS, 1, "MONTH", "Asia/Tokyo", LATER_MS, QUARTZ),
        ),
        (daily_time_interval(15), DailyTimeInterval(15)),
        (
            daily_time_interval(
                2,
                "HOUR",
                start_time_of_day=time(8),
                end_time_of_day=time(17, 30, 5),
                days_of_week=["MON", "fri", 7],
                zone="Asia/Tokyo",
                start=START,
                end=LATER,
                repeat_count=9,
                dst=QUARTZ,
            ),
            DailyTimeInterval(
                2,
                "HOUR",
                TimeOfDay(8),
                TimeOfDay(17, 30, 5),
                (2, 6, 7),
                "Asia/Tokyo",
                MS,
                LATER_MS,
                9,
                QUARTZ,
            ),
        ),
    ],
)
def test_a_builder_makes_its_schedule(trigger: Trigger, schedule: Schedule) -> None:
    assert trigger.schedule == schedule


def test_options_are_the_trigger_s() -> None:
    made = calendar_interval(
        1, name="n", group="g", misfire="DO_NOTHING", calendar="c", priority=7, data={"a": 1}
    )
    assert made == Trigger(
        CalendarInterval(WHEN_SUBMITTED, 1),
        name="n",
        group="g",
        misfire="DO_NOTHING",
        calendar="c",
        priority=7,
        data={"a": 1},
    )


@pytest.mark.parametrize(
    ("build", "given", "error", "said"),
    [
        (cron, {"expression": "* * * * *"}, InvalidCron, "five are of the dialect unix"),
        (every, {"interval": 1e30}, InvalidSchedule, "at most 3153600000 "),
        (every, {"interval": float("nan")}, InvalidSchedule, "repeat interval is nan s; at most"),
        (cron, {"expression": "0 0 8 * * ?", "zone": "Londn"}, InvalidSchedule, "Europe/London"),
        (every, {"interval": -1}, InvalidSchedule, "must be above 0"),
        (every, {"interval": 1, "start": LATER, "end": START}, InvalidSchedule, "before start"),
        (once, {"at": datetime(2030, 1, 1)}, InvalidSchedule, "without a zone"),  # noqa: DTZ001
        (once, {"misfire": "DO_NOTHING"}, InvalidSchedule, "none of a once trigger"),
        (calendar_interval, {"interval": 0}, InvalidSchedule, "must be 1 or more"),
        (calendar_interval, {"interval": 1, "unit": "DAYS"}, InvalidSchedule, "interval unit"),
        (
            calendar_interval,
            {"interval": 1, "dst": DstPolicy("later", "both")},  # type: ignore[arg-type]
            InvalidSchedule,
            "dst.gap is 'later'",
        ),
        (daily_time_interval, {"interval": 25, "unit": "HOUR"}, InvalidSchedule, "from 1 to 24"),
        (
            daily_time_interval,
            {"interval": 1, "days_of_week": ["MONDAY"]},
            InvalidSchedule,
            "'MONDAY' is no day of the week",
        ),
        (
            daily_time_interval,
            {"interval": 1, "days_of_week": []},
            InvalidSchedule,
            "days of week are",
        ),
        (
            daily_time_interval,
            {"interval": 1, "end_time_of_day": time(8, 0, 0, 1)},
            InvalidSchedule,
            "in whole seconds",
        ),
        (
            daily_time_interval,
            {"interval": 1, "start_time_of_day": time(8, tzinfo=UTC)},
            InvalidSchedule,
            "local time in `zone`",
        ),
        (
            daily_time_interval,
            {"interval": 1, "start_time_of_day": time(8), "end_time_of_day": time(7)},
            InvalidSchedule,
            "is before start time of day",
        ),
    ],
)
def test_what_is_wrong_by_itself_is_refused_where_it_is_written(
    build: Any, given: dict[str, Any], error: type[GridschedError], said: str
) -> None:
    with pytest.raises(error, match=said):
        build(**given)


@pytest.mark.parametrize("text", ["skip,second", "after,first", " skip , both "])
def test_a_dst_policy_is_read_as_it_is_written(text: str) -> None:
    assert str(DstPolicy.parse(text)) == text.replace(" ", "")


@pytest.mark.parametrize("text", ["", "skip", "second,skip", "skip,second,both", "quartz"])
def test_what_is_no_dst_policy_is_refused(text: str) -> None:
    with pytest.raises(InvalidSchedule, match="such as skip,second"):
        DstPolicy.parse(text)


def test_the_builders_and_calendars_are_the_package_s() -> None:
    import gridsched.calendars

    for module in (gridsched, gridsched.calendars):
        assert all(hasattr(module, name) for name in module.__all__)
