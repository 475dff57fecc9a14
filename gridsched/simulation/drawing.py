"""Jobs, triggers and a calendar, drawn from chance."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from msgspec.structs import replace

from gridsched.client.events import event, expression, jmespath, xpath
from gridsched.model.calendar import Calendar, CronCalendar
from gridsched.model.dispatch import DispatchPolicy, LeastLoaded, LocalFirst
from gridsched.model.dispatch import Random as AnyNode
from gridsched.model.events import DELIVERY_RETRY, Condition, EventTrigger
from gridsched.model.job import Job, Overlap
from gridsched.model.retry import Retry
from gridsched.model.trigger import (
    WHEN_SUBMITTED,
    CalendarInterval,
    Cron,
    DailyTimeInterval,
    IntervalUnit,
    Once,
    Schedule,
    Simple,
    Trigger,
)
from gridsched.policy.misfire import instructions
from gridsched.simulation.jobs import LEVELS, SUBSCRIBERS, TARGET, THREAD_TARGET

CALENDAR: Final = "quiet"
GROUPS: Final = ("north", "east", "south", "west")
"""The groups of triggers."""

JOB_GROUPS: Final = ("ada", "bob", "eve")
"""The groups of jobs."""

_ZONES: Final = ("UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe")
_UNITS: Final[tuple[tuple[IntervalUnit, int], ...]] = (
    ("DAY", 86_400_000),
    ("HOUR", 3_600_000),
    ("MINUTE", 60_000),
)
_OVERLAPS: Final[tuple[Overlap, ...]] = ("skip", "buffer_one", "buffer_all", "cancel_other")
_SPREADS: Final[tuple[DispatchPolicy, ...]] = (AnyNode(), LeastLoaded(), LocalFirst())

DrawJob = Callable[[Random, int], Job]
"""Draws the job of a number."""


def draw_calendar(random: Random) -> Calendar:
    """Leaves out one second in a few of every minute."""
    second = random.randrange(0, 40)
    return CronCalendar(f"{second}-{second + random.randrange(2, 20)} * * * * ?")


def _draw_coroutine(random: Random, number: int) -> Job:
    chance = random.random
    slow = chance() < 0.1
    seconds = random.uniform(0, 30) if slow else random.choice((0, 0, 0, 0.01, 0.2, 1.5))
    failures = random.choice((1, 2, 5)) if chance() < 0.15 else 0
    alone = chance() < 0.3
    counts = alone and chance() < 0.5
    data = {"seconds": round(seconds, 3), "failures": failures}
    if chance() < 0.1:
        data["yields"] = random.choice((1, 3))
    return Job(
        TARGET,
        name=f"job-{number}",
        group=random.choice(JOB_GROUPS),
        data={**data, "count": 0} if counts else data,
        requests_recovery=chance() < 0.5,
        disallow_concurrent=alone,
        overlap=random.choice(_OVERLAPS) if not alone and chance() < 0.3 else "allow_all",
        persist_data=counts,
        timeout=round(random.uniform(1, 20), 3) if slow or chance() < 0.1 else None,
        priority=random.choice((1, 5, 5, 5, 10)),
        retry=_retry(random) if chance() < 0.4 else None,
        durable=chance() < 0.2,
        dispatch=random.choice(_SPREADS) if chance() < 0.2 else None,
    )


def draw_job(random: Random, number: int) -> Job:
    """A job that runs in any place, and may publish events."""
    job = _draw_coroutine(random, number)
    if random.random() < 0.2:
        job = replace(job, events=_events(random))
    match random.choice(("loop", "loop", "loop", "thread", "process")):
        case "thread":
            return replace(job, target=THREAD_TARGET)
        case "process":
            return replace(job, executor="process")
        case _:
            return job


def _events(random: Random) -> tuple[EventTrigger, ...]:
    return tuple(
        event(
            f"event-{number}",
            _condition(random),
            random.sample(SUBSCRIBERS, random.choice((1, 1, 2))),
            when=random.choice(("every", "every", "change")),
            retry=random.choice((DELIVERY_RETRY, Retry(2), Retry(4))),
        )
        for number in range(random.choice((1, 1, 2)))
    )


def _condition(random: Random) -> Condition:
    """Some hold for some results; one cannot be judged, for no result is XML."""
    below = random.randrange(1, LEVELS)
    return random.choice(
        (
            expression(f"result['level'] < {below}"),
            jmespath(f"level < `{below}`"),
            expression("result['attempt'] > 1"),
            xpath(f"//level < {below}"),
        )
    )


def _retry(random: Random) -> Retry:
    return Retry(random.choice((2, 3)), random.uniform(0.5, 5), jitter=random.choice((0.0, 0.3)))


def draw_trigger(random: Random, number: int, now: int, span: float) -> Trigger:
    schedule = random.choice(_KINDS)(random, now, round(span * 1000))
    return Trigger(
        schedule,
        name=f"trigger-{number}",
        group=random.choice(GROUPS),
        misfire=random.choice(instructions(schedule)),
        calendar=CALENDAR if random.random() < 0.15 else "",
        priority=random.choice((None, None, 1, 9)),
        jitter=random.choice((0.0, 0.0, 0.0, 2.0)),
        catch_up=random.choice((None, None, 60.0)),
    )


def _interval(random: Random, span: int) -> int:
    """From 1/30 of the span up to all of it, in whole seconds (ms)."""
    share: float = 30 ** -random.random()
    return max(1, round(span * share / 1000)) * 1000


def _once(random: Random, now: int, span: int) -> Schedule:
    return Once(random.choice((WHEN_SUBMITTED, now + round(random.uniform(0, span)))))


def _simple(random: Random, now: int, span: int) -> Schedule:
    start = random.choice((WHEN_SUBMITTED, now + round(random.uniform(0, span / 4))))
    count = random.choice((-1, -1, 0, 3, 20))
    end = now + round(random.uniform(span / 2, 2 * span)) if random.random() < 0.2 else None
    return Simple(start, _interval(random, span), count, end)


def _cron(random: Random, _now: int, span: int) -> Schedule:
    second, minutes = random.randrange(60), max(1, _interval(random, span) // 60_000)
    minute = f"{random.randrange(min(minutes, 60))}/{min(minutes, 59)}"
    hours = minutes // 60
    hour = f"{random.randrange(min(hours, 24))}/{min(hours, 23)}" if hours > 1 else "*"
    minute = str(random.randrange(60)) if hours > 1 else minute
    return Cron(f"{second} {minute} {hour} * * ?", random.choice(_ZONES))


def _calendar_interval(random: Random, now: int, span: int) -> Schedule:
    every = _interval(random, span)
    for unit, length in _UNITS:
        if every >= 2 * length:
            start = now + round(random.uniform(0, span / 8))
            return CalendarInterval(start, every // length, unit, random.choice(_ZONES))
    return CalendarInterval(now, max(1, every // 1000), "SECOND")


def _daily_time_interval(random: Random, _now: int, span: int) -> Schedule:
    every = _interval(random, span)
    zone = random.choice(_ZONES)
    if every >= 120_000:
        return DailyTimeInterval(min(every // 60_000, 1440), "MINUTE", zone=zone)
    return DailyTimeInterval(max(1, every // 1000), "SECOND", zone=zone)


_KINDS: Final = (_once, _simple, _simple, _cron, _cron, _calendar_interval, _daily_time_interval)
