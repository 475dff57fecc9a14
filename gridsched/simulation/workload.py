"""What users do in a simulation, or on a real cluster under chaos: jobs with triggers of every kind,
and commands about them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from random import Random
from typing import Any, Final, NamedTuple, Protocol

from gridsched.client.scheduler import AsyncScheduler
from gridsched.clock import Clock
from gridsched.errors import GridError, GridschedError, SubmissionTimeout
from gridsched.model.calendar import Calendar, CronCalendar
from gridsched.model.job import Job, Overlap
from gridsched.model.keys import job_of, trigger_of
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
from gridsched.simulation.history import Answer, Command, CommandKind, Record
from gridsched.simulation.scenario import TARGET

CALENDAR: Final = "quiet"
_ZONES: Final = ("UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe")
_UNITS: Final[tuple[tuple[IntervalUnit, int], ...]] = (
    ("DAY", 86_400_000),
    ("HOUR", 3_600_000),
    ("MINUTE", 60_000),
)
_GROUPS: Final = ("north", "east", "south", "west")
_OVERLAPS: Final[tuple[Overlap, ...]] = ("skip", "buffer_one", "buffer_all", "cancel_other")
_ASK: Final = 3.0
"""Seconds between two attempts to give a command that must not be lost."""


_FIRST: Final = "calendar"
"""The element that stores the calendar before anything can be scheduled under it."""

_COMMANDS: Final[tuple[tuple[CommandKind, int], ...]] = (
    ("pause", 6), ("resume", 9), ("fire", 4), ("cancel", 5), ("delete", 1), ("schedule", 2),
    ("calendar", 1), ("pause_group", 1), ("resume_group", 2),
)  # fmt: skip
"""What users ask for once jobs are there, and how often of all."""

Chance = Callable[[str], Random]
"""A source of chance of its own for each purpose."""


class Given(NamedTuple):
    """A command as it is given: see `Command`. A cancel names a trigger: its last run is meant."""

    kind: CommandKind
    key: str
    job: Job | None = None
    trigger: Trigger | None = None
    calendar: Calendar | None = None


class Wish(NamedTuple):
    """A command to be given, `at` so many seconds after the begin. It is an element of the plan: what
    it asks for and when is the same, whichever other elements are left out."""

    name: str
    at: float
    given: Given


def wishes(
    chance: Chance, triggers: int, commands: int, *, begin: int, span: float, seconds: float
) -> Iterator[Wish]:
    """All that users are to ask for, in order: first the jobs, within about the first eighth of the
    span; then so many commands, within about so many seconds. In `span` seconds each trigger that
    fires again and again is to fire a few times; `begin` is epoch ms."""
    if not triggers:
        return
    instants = chance("instants of the users")
    keys: list[str] = []
    yield Wish(_FIRST, 0.0, _new_calendar(chance(_FIRST)))
    at = 0.0
    for number in range(1, triggers + 1):
        at += instants.expovariate(8 * triggers / span)
        wish = _schedule(chance, number, at, begin, span)
        keys.append(wish.given.key)
        yield wish
    for number in range(1, commands + 1):
        at += instants.expovariate(commands / seconds)
        random = chance(f"command {number}")
        kinds, weights = zip(*_COMMANDS, strict=True)
        (kind,) = random.choices(kinds, weights)
        if kind == "schedule":
            wish = _schedule(chance, triggers + number, at, begin, span)
            keys.append(wish.given.key)
        else:
            wish = Wish(f"command-{number}", at, _command(random, kind, keys))
        yield wish


def _schedule(chance: Chance, number: int, at: float, begin: int, span: float) -> Wish:
    random = chance(f"trigger {number}")
    job = _job(random, number)
    trigger = _trigger(random, number, begin + round(at * 1000), span)
    key = f"{job.key}:{trigger.group}/{trigger.name}"
    return Wish(f"trigger-{number}", at, Given("schedule", key, job, trigger))


def _command(random: Random, kind: CommandKind, keys: Sequence[str]) -> Given:
    """A command of this kind about some trigger, job or group that was scheduled before."""
    key = random.choice(keys)
    match kind:
        case "calendar":
            return _new_calendar(random)
        case "pause_group" | "resume_group":
            return Given(kind, random.choice(_GROUPS))
        case "cancel":
            return Given(kind, key)
        case _:
            return Given(kind, key if random.random() < 0.7 else job_of(key))


def _new_calendar(random: Random) -> Given:
    return Given("calendar", CALENDAR, calendar=_calendar(random))


class Place(Protocol):
    """Where the users are: a simulated world, or the real one. `clock` is the true clock."""

    @property
    def clock(self) -> Clock: ...

    @property
    def record(self) -> Record: ...


class Workload:
    """Gives the cluster what users wish for, each at its time, and notes the answers."""

    def __init__(self, world: Place, client: AsyncScheduler) -> None:
        self._world = world
        self._client = client

    async def give(self, begin: int, wishes: Iterable[Wish]) -> None:
        """Ask for one after the other, without waiting for answers; for the first calendar alone until
        it is there. What should have been asked for before the cluster was up is so now."""
        pending: set[asyncio.Task[None]] = set()
        for wish in wishes:
            await asyncio.sleep(max(0.0, wish.at - (self._world.clock.now() - begin) / 1000))
            asking = asyncio.create_task(self._ask(wish.given))
            pending.add(asking)
            asking.add_done_callback(pending.discard)
            if wish.name == _FIRST:
                await asking

    async def _ask(self, given: Given) -> None:
        client, key, kind = self._client, given.key, given.kind
        match kind:
            case "schedule":
                assert given.job is not None
                assert given.trigger is not None
                job, trigger = given.job, given.trigger
                await self._note(given, lambda: client.schedule(job, trigger))
            case "calendar":
                await self._store_calendar(given)
            case "cancel":
                await self._cancel(given)
            case "pause_group":
                await self._note(given, lambda: client.pause_group(key))
            case "resume_group":
                await self._note(given, lambda: client.resume_group(key))
            case "pause" | "resume" | "delete" | "fire":
                give: Callable[[str], Awaitable[Any]] = getattr(client, kind)
                await self._note(given, lambda: give(key))

    async def _store_calendar(self, given: Given) -> None:
        """Until it is certain that it is stored: the checker must know which calendars were."""
        calendar = given.calendar
        assert calendar is not None
        answer: Answer = "unknown"
        while answer == "unknown":
            answer = await self._note(
                given, lambda: self._client.store_calendar(CALENDAR, calendar, override=True)
            )
            await asyncio.sleep(_ASK)

    async def _cancel(self, given: Given) -> None:
        """Of a trigger that has not run yet there is nothing to cancel."""
        runs = (run.firing for run in reversed(self._world.record.runs))
        firing = next((firing for firing in runs if trigger_of(firing) == given.key), None)
        if firing is not None:
            await self._note(given._replace(key=firing), lambda: self._client.cancel(firing))

    async def _note(self, given: Given, give: Callable[[], Awaitable[Any]]) -> Answer:
        """Give a command and note its answer."""
        sent, trigger = self._world.clock.now(), given.trigger
        answer: Answer = "accepted"
        try:
            got = await give()
            trigger = got if isinstance(got, Trigger) else trigger
        except (GridError, SubmissionTimeout):
            answer = "unknown"
        except GridschedError:
            answer = "rejected"
        command = Command(
            given.kind,
            given.key,
            sent,
            self._world.clock.now(),
            answer,
            given.job,
            trigger,
            given.calendar,
        )
        self._world.record.commands.append(command)
        return answer


def _calendar(random: Random) -> Calendar:
    """Leaves out one second in a few of every minute."""
    second = random.randrange(0, 40)
    return CronCalendar(f"{second}-{second + random.randrange(2, 20)} * * * * ?")


def _job(random: Random, number: int) -> Job:
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
        group=random.choice(("ada", "bob", "eve")),
        data={**data, "count": 0} if counts else data,
        requests_recovery=chance() < 0.5,
        disallow_concurrent=alone,
        overlap=random.choice(_OVERLAPS) if not alone and chance() < 0.3 else "allow_all",
        persist_data=counts,
        timeout=round(random.uniform(1, 20), 3) if slow or chance() < 0.1 else None,
        priority=random.choice((1, 5, 5, 5, 10)),
        retry=_retry(random) if chance() < 0.4 else None,
    )


def _retry(random: Random) -> Retry:
    return Retry(random.choice((2, 3)), random.uniform(0.5, 5), jitter=random.choice((0.0, 0.3)))


def _trigger(random: Random, number: int, now: int, span: float) -> Trigger:
    schedule = random.choice(_KINDS)(random, now, round(span * 1000))
    return Trigger(
        schedule,
        name=f"trigger-{number}",
        group=random.choice(_GROUPS),
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
