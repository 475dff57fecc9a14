"""Checks of a trigger before it is accepted: at the facade, at config load, and by the owner."""

from __future__ import annotations

from typing import get_args

from gridsched.errors import InvalidSchedule
from gridsched.model.job import check_data
from gridsched.model.trigger import FOREVER, Cron, Misfire, Simple, Trigger
from gridsched.policy import cron, cron_parse, localtime
from gridsched.policy.fire_times import first_fire


def check_trigger(trigger: Trigger) -> None:
    """InvalidSchedule (InvalidCron, InvalidKey, InvalidJob), saying what is wrong, where it is."""
    schedule = trigger.schedule
    if isinstance(schedule, Simple):
        _check_simple(schedule)
    elif isinstance(schedule, Cron):
        _check_cron(schedule)
    if trigger.misfire not in get_args(Misfire):
        raise InvalidSchedule(
            f"misfire policy {trigger.misfire!r} is not known; one of {', '.join(get_args(Misfire))}"
        )
    check_data(trigger.data, f"trigger {trigger.name!r}")
    if first_fire(schedule) is None:
        raise InvalidSchedule(f"trigger {trigger.name!r} will never fire")


def _check_simple(schedule: Simple) -> None:
    if schedule.repeat_count < FOREVER:
        raise InvalidSchedule(
            f"repeat count is {schedule.repeat_count}; 0 or more, or {FOREVER} for ever"
        )
    if schedule.repeat_count != 0 and schedule.interval <= 0:
        raise InvalidSchedule(f"repeat interval is {schedule.interval} ms; it must be above 0")
    _check_end(schedule.start, schedule.end)


def _check_cron(schedule: Cron) -> None:
    expression = cron_parse.parse(schedule.expression, schedule.dialect)
    localtime.zone(schedule.zone)
    _check_end(schedule.start, schedule.end)
    if cron.never_fires(expression):
        raise InvalidSchedule(f"cron expression {schedule.expression!r} names no instant")


def _check_end(start: int | None, end: int | None) -> None:
    if start is not None and end is not None and end < start:
        raise InvalidSchedule(f"end ({end}) is before start ({start}), both epoch ms")
