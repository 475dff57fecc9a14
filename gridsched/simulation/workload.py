"""What users do in a simulation, or on a real cluster under chaos: jobs with triggers of every kind,
and commands about them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any, Final, Literal, NamedTuple, Protocol

from gridsched.client.scheduler import AsyncScheduler
from gridsched.clock import Clock
from gridsched.errors import GridError, GridschedError, SubmissionTimeout
from gridsched.model.calendar import Calendar, CronCalendar
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


class Given(NamedTuple):
    """A command as it is given: see `Command`."""

    kind: CommandKind
    key: str
    job: Job | None = None
    trigger: Trigger | None = None
    calendar: Calendar | None = None


class Place(Protocol):
    """Where the users are: a simulated world, or the real one. `clock` is the true clock."""

    @property
    def clock(self) -> Clock: ...

    @property
    def record(self) -> Record: ...

    def random(self, purpose: str) -> Random:
        """A source of chance of its own for each purpose."""


class Workload:
    """Draws jobs and commands from chance, gives them to the cluster, and notes the answers. In
    `span` seconds each trigger that fires again and again is to fire a few times."""

    def __init__(self, world: Place, client: AsyncScheduler, span: float) -> None:
        self._world = world
        self._client = client
        self._random = world.random("workload")
        self._span = span
        self._jobs: list[str] = []
        self._triggers: list[str] = []
        self._made = 0

    async def give(self, triggers: int, commands: int, seconds: float) -> None:
        """First the jobs, within the first eighth of the span; then so many commands, within about so
        many seconds."""
        if triggers:
            await self.store_calendar()
        random = self._world.random("commands")
        pending: set[asyncio.Task[None]] = set()

        def start(command: Callable[[], Coroutine[Any, Any, None]]) -> None:
            task = asyncio.create_task(command())
            pending.add(task)
            task.add_done_callback(pending.discard)

        for _ in range(triggers):
            start(self.schedule)
            await asyncio.sleep(random.expovariate(8 * triggers / self._span))
        for _ in range(commands if triggers else 0):
            await asyncio.sleep(random.expovariate(commands / seconds))
            start(self.command)

    async def store_calendar(self) -> None:
        """The calendar that some triggers are under; every cluster has it from the start."""
        calendar = _calendar(self._random)
        given = Given("calendar", CALENDAR, calendar=calendar)
        answer: Answer = "unknown"
        while answer == "unknown":
            answer = await self._note(
                given, lambda: self._client.store_calendar(CALENDAR, calendar, override=True)
            )
            await asyncio.sleep(_ASK)

    async def schedule(self) -> None:
        """One more job with a trigger."""
        self._made += 1
        job = _job(self._random, self._made)
        trigger = _trigger(self._random, self._made, self._world.clock.now(), self._span)
        key = f"{job.key}:{trigger.group}/{trigger.name}"
        self._jobs.append(job.key)
        self._triggers.append(key)
        given = Given("schedule", key, job, trigger)
        await self._note(given, lambda: self._client.schedule(job, trigger))

    async def command(self) -> None:
        """One command of some kind about some trigger or job."""
        random = self._random
        key = random.choice(self._triggers if random.random() < 0.7 else self._jobs)
        kinds: list[tuple[CommandKind, int]] = [
            ("pause", 6), ("resume", 9), ("fire", 4), ("cancel", 3), ("delete", 1), ("schedule", 2),
            ("calendar", 1), ("pause_group", 1), ("resume_group", 2),
        ]  # fmt: skip
        (kind,) = random.choices([k for k, _ in kinds], [weight for _, weight in kinds])
        match kind:
            case "pause":
                await self._note(Given(kind, key), lambda: self._client.pause(key))
            case "resume":
                await self._note(Given(kind, key), lambda: self._client.resume(key))
            case "delete":
                await self._note(Given(kind, key), lambda: self._client.delete(key))
            case "fire":
                await self._note(Given(kind, key), lambda: self._client.fire(key))
            case "schedule":
                await self.schedule()
            case "calendar":
                await self.store_calendar()
            case "cancel":
                await self._cancel()
            case "pause_group" | "resume_group":
                await self._group(kind)

    async def _cancel(self) -> None:
        runs = self._world.record.runs
        if runs:
            trigger = self._random.choice(runs).firing
            await self._note(Given("cancel", trigger), lambda: self._client.cancel(trigger))

    async def _group(self, kind: Literal["pause_group", "resume_group"]) -> None:
        group, client = self._random.choice(_GROUPS), self._client
        give = client.pause_group if kind == "pause_group" else client.resume_group
        await self._note(Given(kind, group), lambda: give(group))

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
