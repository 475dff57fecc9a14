"""What users do in a simulation, or on a real cluster under chaos: jobs with triggers of every kind,
and commands about them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from random import Random
from typing import Any, Final, NamedTuple, Protocol

from msgspec.structs import replace

from gridsched.client.scheduler import AsyncScheduler
from gridsched.clock import Clock
from gridsched.errors import GridError, GridschedError, NotFound, SubmissionTimeout
from gridsched.model.calendar import Calendar
from gridsched.model.firing import FINAL, Firing
from gridsched.model.groups import GroupKind
from gridsched.model.job import Job
from gridsched.model.keys import firing_key, job_of, parse_key, trigger_key, trigger_of
from gridsched.model.trigger import Trigger
from gridsched.simulation.drawing import (
    CALENDAR,
    GROUPS,
    JOB_GROUPS,
    DrawJob,
    draw_calendar,
    draw_trigger,
)
from gridsched.simulation.history import Answer, Command, CommandKind, Record, Run

_ASK: Final = 3.0
"""Seconds between two attempts to give a command that must not be lost."""

_ADDED: Final = 0.5
"""The share of later triggers that are for a job which is there."""

_FIRST: Final = "calendar"
"""The element that stores the calendar before anything can be scheduled under it."""

_COMMANDS: Final[tuple[tuple[CommandKind, int], ...]] = (
    ("pause", 6), ("resume", 9), ("fire", 4), ("cancel", 5), ("cancel_next", 2), ("delete", 1),
    ("schedule", 3), ("calendar", 1), ("pause_group", 2), ("resume_group", 4), ("replace", 3),
    ("discard", 4),
)  # fmt: skip
"""What users ask for once jobs are there, and how often of all."""

Chance = Callable[[str], Random]
"""A source of chance of its own for each purpose."""


class Given(NamedTuple):
    """A command as it is given: see `Command`. A cancel or discard names a trigger: its last run is
    meant that goes on, or has ended, or else any."""

    kind: CommandKind
    key: str
    job: Job | None = None
    trigger: Trigger | None = None
    calendar: Calendar | None = None
    firing: Firing | None = None


class Wish(NamedTuple):
    """A command to be given, `at` so many seconds after the begin. It is an element of the plan: what
    it asks for and when is the same, whichever other elements are left out."""

    name: str
    at: float
    given: Given


def wishes(
    chance: Chance,
    draw: DrawJob,
    triggers: int,
    commands: int,
    *,
    begin: int,
    span: float,
    seconds: float,
) -> Iterator[Wish]:
    """All that users are to ask for, in order: first the jobs, drawn by `draw`, within about the first
    eighth of the span; then so many commands, within about so many seconds. In `span` seconds each
    trigger that fires again and again is to fire a few times; `begin` is epoch ms."""
    if not triggers:
        return
    instants = chance("instants of the users")
    keys: list[str] = []
    yield Wish(_FIRST, 0.0, _new_calendar(chance(_FIRST)))
    at = 0.0
    for number in range(1, triggers + 1):
        at += instants.expovariate(8 * triggers / span)
        wish = _schedule(chance, draw, number, at, begin=begin, span=span)
        keys.append(wish.given.key)
        yield wish
    for number in range(1, commands + 1):
        at += instants.expovariate(commands / seconds)
        random = chance(f"command {number}")
        kinds, weights = zip(*_COMMANDS, strict=True)
        (kind,) = random.choices(kinds, weights)
        if kind == "schedule":
            wish = _schedule(chance, draw, triggers + number, at, begin=begin, span=span)
            if random.random() < _ADDED:
                wish = _added(wish, job_of(random.choice(keys)))
            keys.append(wish.given.key)
        elif kind == "replace":
            now = begin + round(at * 1000)
            wish = Wish(f"command-{number}", at, _replacement(random, keys, number, now, span))
        else:
            wish = Wish(f"command-{number}", at, _command(random, kind, keys))
        yield wish


def _schedule(
    chance: Chance, draw: DrawJob, number: int, at: float, *, begin: int, span: float
) -> Wish:
    random = chance(f"trigger {number}")
    job = draw(random, number)
    trigger = draw_trigger(random, number, begin + round(at * 1000), span)
    key = f"{job.key}:{trigger.group}/{trigger.name}"
    return Wish(f"trigger-{number}", at, Given("schedule", key, job, trigger))


def _added(wish: Wish, job: str) -> Wish:
    """The trigger of a wish, for a job that is there."""
    assert wish.given.trigger is not None
    key = trigger_key(job, wish.given.trigger.group, wish.given.trigger.name)
    return wish._replace(given=wish.given._replace(key=key, job=None))


def _replacement(random: Random, keys: Sequence[str], number: int, now: int, span: float) -> Given:
    """Another schedule, with all that goes with it, for a trigger that was scheduled before."""
    key = random.choice(keys)
    parts = parse_key(key)
    assert parts.trigger_group is not None
    assert parts.trigger_name is not None
    drawn = draw_trigger(random, number, now, span)
    trigger = replace(drawn, name=parts.trigger_name, group=parts.trigger_group)
    return Given("replace", key, trigger=trigger)


def _command(random: Random, kind: CommandKind, keys: Sequence[str]) -> Given:
    """A command of this kind about some trigger, job or group that was scheduled before."""
    key = random.choice(keys)
    match kind:
        case "calendar":
            return _new_calendar(random)
        case "pause_group" | "resume_group":
            return Given(kind, random.choice((*GROUPS, *JOB_GROUPS)))
        case "cancel" | "cancel_next" | "discard":
            return Given(kind, key)
        case _:
            return Given(kind, key if random.random() < 0.7 else job_of(key))


def _new_calendar(random: Random) -> Given:
    return Given("calendar", CALENDAR, calendar=draw_calendar(random))


def _kind(group: str) -> GroupKind:
    return "jobs" if group in JOB_GROUPS else "triggers"


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
            case "schedule" | "replace":
                assert given.trigger is not None
                job, trigger = given.job or job_of(key), given.trigger
                await self._note(given, lambda: client.schedule(job, trigger))
            case "calendar":
                await self._store_calendar(given)
            case "cancel":
                await self._cancel(given)
            case "cancel_next":
                await self._cancel_next(given)
            case "discard":
                await self._discard(given)
            case "pause_group":
                await self._note(given, lambda: client.pause_group(key, of=_kind(key)))
            case "resume_group":
                await self._note(given, lambda: client.resume_group(key, of=_kind(key)))
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
        """The last run of the trigger that is named, where that goes on; else the last of all that do,
        for most are over in a moment."""
        firing = self._last(given.key, lambda run: run.ended is None)
        if firing is not None:
            await self._note(given._replace(key=firing), lambda: self._client.cancel(firing))

    async def _discard(self, given: Given) -> None:
        """The last run of the trigger that is named, or else of all, that has ended and is on record so."""
        key = self._last(given.key, lambda run: run.ended is not None)
        if key is not None:
            with contextlib.suppress(GridschedError):
                firing = await self._client.firing(key)
                if firing.state in FINAL:
                    discarded = given._replace(key=key, firing=firing)
                    await self._note(discarded, lambda: self._client.discard(key))

    def _last(self, trigger: str, of: Callable[[Run], bool]) -> str | None:
        """The firing of the last of these runs that a trigger has, or else any; None where none is."""
        found = [run.firing for run in reversed(self._world.record.runs) if of(run)]
        own = (firing for firing in found if trigger_of(firing) == trigger)
        return next(own, next(iter(found), None))

    async def _cancel_next(self, given: Given) -> None:
        """The next instant of the trigger that is named, where that is there and the grid says so."""
        with contextlib.suppress(GridschedError):
            trigger = await self._client.trigger(given.key)
            if trigger.next_fire is not None:
                firing = firing_key(given.key, trigger.next_fire)
                await self._note(
                    given._replace(kind="cancel", key=firing), lambda: self._client.cancel(firing)
                )

    async def _note(self, given: Given, give: Callable[[], Awaitable[Any]]) -> Answer:
        """Give a command and note its answer."""
        sent, trigger = self._world.clock.now(), given.trigger
        answer: Answer = "accepted"
        try:
            got = await give()
            trigger = got if isinstance(got, Trigger) else trigger
        except (GridError, SubmissionTimeout):
            answer = "unknown"
        except NotFound:  # what was scheduled may have been, and be deleted by now
            answer = "rejected" if given.trigger is None else "unknown"
        except GridschedError:
            answer = "rejected"
        command = Command(
            kind=given.kind,
            key=given.key,
            sent=sent,
            answered=self._world.clock.now(),
            answer=answer,
            job=given.job,
            trigger=trigger,
            calendar=given.calendar,
            firing=given.firing,
        )
        self._world.record.commands.append(command)
        return answer
