"""How a user writes a trigger: `cron(...)`, `every(...)`, `once(...)`.

Everything that can be wrong with a trigger by itself is refused here, where it is written.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from gridsched.errors import InvalidSchedule
from gridsched.model.trigger import (
    FOREVER,
    WHEN_SUBMITTED,
    Cron,
    Dialect,
    Misfire,
    Once,
    Simple,
    Trigger,
)
from gridsched.policy.checks import check_trigger


class TriggerOptions(TypedDict, total=False):
    """What every kind of trigger takes.

    name          default: the job's; scheduling again under one name replaces the trigger
    group         default: "DEFAULT"
    misfire       what becomes of missed instants; default: "SMART" (see `model.trigger.Misfire`)
    calendar      name of a stored calendar that excludes some of its instants
    priority      among triggers due at the same instant; default: the job's
    data          over the job's own (JSON)
    """

    name: str
    group: str
    description: str
    misfire: Misfire
    calendar: str
    priority: int
    data: dict[str, Any]


def cron(
    expression: str,
    zone: str = "UTC",
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    dialect: Dialect = "quartz",
    **options: Unpack[TriggerOptions],
) -> Trigger:
    """Fires when local time in `zone` (IANA name) matches a cron expression.

    Quartz's syntax, six or seven fields; `dialect="unix"` for the classic five. InvalidCron names
    the field at fault; InvalidSchedule an unknown zone, a naive datetime, an end before the start.
    """
    schedule = Cron(expression, zone, _optional(start, "start"), _optional(end, "end"), dialect)
    return _checked(Trigger(schedule, **options))


def every(
    interval: timedelta | float,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    repeat_count: int = FOREVER,
    **options: Unpack[TriggerOptions],
) -> Trigger:
    """Fires at `start` (default: when it is accepted) and every `interval` (a timedelta, or
    seconds) after it, `repeat_count` times more (-1: for ever), before `end`."""
    seconds = interval.total_seconds() if isinstance(interval, timedelta) else float(interval)
    schedule = Simple(
        _optional(start, "start") or WHEN_SUBMITTED,
        round(seconds * 1000),
        repeat_count,
        _optional(end, "end"),
    )
    return _checked(Trigger(schedule, **options))


def once(at: datetime | None = None, **options: Unpack[TriggerOptions]) -> Trigger:
    """Fires once, at `at` (default: when it is accepted)."""
    return _checked(Trigger(Once(_optional(at, "at") or WHEN_SUBMITTED), **options))


def instant(moment: datetime, what: str) -> int:
    """Epoch ms of an aware datetime; InvalidSchedule for a naive one."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise InvalidSchedule(
            f"{what} is {moment.isoformat()}, a datetime without a zone: give it one, such as "
            "datetime(..., tzinfo=zoneinfo.ZoneInfo('Europe/London'))"
        )
    return round(moment.timestamp() * 1000)


def _optional(moment: datetime | None, what: str) -> int | None:
    return None if moment is None else instant(moment, what)


def _checked(trigger: Trigger) -> Trigger:
    check_trigger(trigger)
    return trigger
