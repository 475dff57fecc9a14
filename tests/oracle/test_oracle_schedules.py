"""Triggers, misfires and calendars against the real Quartz: the tables' rows, and a name for every
difference. The names are those of docs/quartz-compatibility.md.
"""

from __future__ import annotations

from datetime import datetime, time
from functools import cache
from typing import Any

import pytest
from oracle_rows import Difference, differences, reaches, rows
from oracle_values import schedule_of
from test_oracle_cron import cron_class

from gridsched.model.trigger import CalendarInterval
from gridsched.policy import localtime
from gridsched.policy.fire_times import fire_after
from gridsched.policy.localtime import QUARTZ, to_instants, to_local

HOUR_KEPT = "the hour of a calendar interval is kept"
HORIZON = "years are 1970 to 2299"
END = "an end is the end"
START = "nothing fires before the start"
GAP_FORGOTTEN = "a gap is forgotten the day after"
NEXT = "the next included instant is included"

TARGETS = {
    "simple": (99, 95),
    "after_fire": (99, 95),
    "calendar_interval": (98, 90),
    "daily_time_interval": (98, 90),
    "misfire": (99, 95),
    "calendars": (97, 90),
}
"""Percent of rows to be equal: of those not near a clock change, and of those near one."""

QUARTZ_GIVES_UP = 4_796_668_800_000
"""2122: from here on the answers depend on when Quartz was asked."""

found = cache(differences)


@pytest.mark.parametrize("table", TARGETS)
def test_schedules_answer_as_quartz_does(table: str) -> None:
    assert reaches(table, found(table), *TARGETS[table])


@pytest.mark.parametrize("table", TARGETS)
def test_every_difference_is_documented(table: str) -> None:
    assert [d.row["id"] for d in found(table) if class_of(d) is None] == []


def class_of(difference: Difference) -> str | None:
    """The documented difference that a row belongs to."""
    row = difference.row
    if difference.fields == ("next",):
        return NEXT
    trigger = row.get("trigger", row)
    if trigger["kind"] == "cron":
        return cron_class(trigger)
    if trigger["kind"] == "calendar_interval":
        return _calendar_interval_class(row)
    if trigger["kind"] == "daily_time_interval":
        return _daily_class(trigger, difference)
    return None


def _calendar_interval_class(row: dict[str, Any]) -> str | None:
    if any(after > QUARTZ_GIVES_UP for after in row["after"]):
        return HORIZON
    schedule = schedule_of(row)
    assert isinstance(schedule, CalendarInterval)
    tz, at, fire = (
        localtime.zone(schedule.zone),
        to_local(schedule.start, localtime.zone(schedule.zone)).time(),
        -1,
    )
    while fire < max(row["after"]):
        following = fire_after(schedule, fire)
        assert following is not None
        fire = following
        if to_local(fire, tz).time() != at:
            return HOUR_KEPT
    return None


def _daily_class(trigger: dict[str, Any], difference: Difference) -> str | None:
    wanted = [fire for fire in _instants(difference.row, difference.fields) if fire is not None]
    if wanted and min(wanted) < trigger["start"]:
        return START
    tz = localtime.zone(trigger["zone"])
    day = to_local(trigger["start"], tz)
    opening = datetime.combine(day, time(*(trigger["startTimeOfDay"] or (0,))))
    if not to_instants(opening, tz, QUARTZ):
        return GAP_FORGOTTEN
    return END if trigger["end"] is not None else None


def _instants(row: dict[str, Any], fields: tuple[str, ...]) -> list[int | None]:
    return [fire for field in fields if isinstance(row[field], list) for fire in row[field]]


# --- What the adapter has to say about Quartz, to be asked its questions


def test_quartz_fires_after_the_end_of_a_daily_time_interval() -> None:
    """The adapter ends such a trigger at that fire; without that, four rows in a hundred would."""
    past_end = [
        row
        for row in rows("daily_time_interval")
        if row["end"] is not None and row["fires"] and row["fires"][-1] > row["end"]
    ]
    assert past_end
    for row in past_end:
        schedule, fire = schedule_of(row), row["start"] - 1
        while (following := fire_after(schedule, fire)) is not None:
            fire = following
        assert fire <= row["end"]


def test_quartz_excludes_the_edges_of_a_day() -> None:
    """The adapter chains two calendars of a millisecond each to say so."""
    edges = [
        included
        for row in rows("calendars")
        if row["query"] == "instants" and row["calendar"]["type"] == "daily"
        if not row["calendar"]["invert"]
        for instant, included in zip(row["instants"], row["included"], strict=True)
        if to_local(instant, localtime.zone(row["calendar"]["zone"])).time() == time()
    ]
    assert edges
    assert not any(edges)
