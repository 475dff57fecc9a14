"""Three measures on a real grid: how soon a dead node's work is taken over, what the death of a member
does to a heavy load, and that a minority of the members fires nothing."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.chaos.jobs import WORK
from benchmarks.chaos.stage import NodeProcess, Stage
from gridsched import Job, Trigger, every
from gridsched.grid.data import partition_of
from gridsched.model.keys import firing_key, job_of
from gridsched.model.trigger import Simple
from gridsched.simulation.history import Run

Say = Callable[[str], None]

_LEAD: Final = 5.0
"""Seconds between scheduling and the first instant."""

_REST: Final = 4.0
"""Seconds in which a cluster is left alone before and after each kill."""


async def schedule(
    stage: Stage, count: int, interval: float, seconds: float | None
) -> list[Trigger]:
    """So many triggers, their instants spread evenly over the interval; for ever, or for so long."""
    first = datetime.fromtimestamp(round((time.time() + _LEAD) * 1000) / 1000, UTC)
    repeats = -1 if seconds is None else round(seconds / interval) - 1
    pairs = [
        (
            Job(WORK, name=f"job-{number}", group="load"),
            every(
                interval,
                start=first + timedelta(milliseconds=round(1000 * interval * number / count)),
                repeat_count=repeats,
            ),
        )
        for number in range(count)
    ]
    return await stage.client.schedule_many(pairs)


# A node is killed


class TakeOver(NamedTuple):
    """Seconds from a node's SIGKILL until others ran a trigger of its partitions that they claimed
    after it: the first such trigger, and the last."""

    first: float
    last: float


async def take_over(folder: Path, kills: int, say: Say) -> list[TakeOver]:
    """Kill one node after the other, under a hundred fires a second."""
    async with Stage(folder) as stage:
        triggers = await schedule(stage, 100, 1.0, None)
        await asyncio.sleep(_LEAD)
        measured = []
        for number in range(kills):
            node = stage.nodes[number % len(stage.nodes)]
            await asyncio.sleep(_REST)
            measured.append(await _kill(stage, node, [trigger.key for trigger in triggers]))
            say(f"{node.name}: first {measured[-1].first:.2f} s, last {measured[-1].last:.2f} s")
        return measured


async def _kill(stage: Stage, node: NodeProcess, triggers: list[str]) -> TakeOver:
    owners = await stage.client.owners()
    data_key = stage.client.caches.jobs.data_key
    victims = [key for key in triggers if owners[partition_of(data_key(job_of(key)))] == node.name]
    killed_at = stage.record.now()
    await asyncio.to_thread(node.kill)
    await asyncio.sleep(2 * stage.settings.session_timeout_ms / 1000 + _REST)
    taken = {
        found.key
        for found in await stage.client.firings(start=_aware(killed_at - 60_000))
        if found.acquired_by != node.name and found.acquired_at > killed_at
    }
    node.start()
    await stage.wait_active([node])
    stage.record.read()
    started: dict[str, int] = {}
    for run in stage.record.runs:
        if run.started > killed_at and run.firing in taken:
            started.setdefault(run.firing.partition("@")[0], run.started)
    delays = [(started[key] - killed_at) / 1000 for key in victims]
    return TakeOver(min(delays), max(delays))


def _aware(instant: int) -> datetime:
    return datetime.fromtimestamp(instant / 1000, UTC)


# A member is killed


class Death(NamedTuple):
    """What a member's death did: instants without a run, and with more than one; the longest time
    without any start (s), before the death and from it on; and how late the last run was (s)."""

    instants: int
    lost: int
    twice: int
    usual_gap: float
    gap: float
    latest: float


async def kill_member(folder: Path, rate: int, seconds: float, say: Say) -> Death:
    """Kill a member after a third of so many seconds under so many fires a second."""
    async with Stage(folder) as stage:
        triggers = await schedule(stage, rate, 1.0, seconds)
        starts = {t.key: _start(t) for t in triggers}
        expected = {
            firing_key(key, first + 1000 * n)
            for key, first in starts.items()
            for n in range(round(seconds))
        }
        begin = min(starts.values())
        await _sleep_until(begin + round(1000 * seconds / 3))
        killed_at = stage.record.now()
        await asyncio.to_thread(stage.members.kill, 0)
        say("a member is killed")
        await _sleep_until(begin + round(1000 * (seconds + 1)))
        await _all_run(stage, len(expected))
        runs = stage.record.runs
    return death(expected, runs, killed_at)


def _start(trigger: Trigger) -> int:
    """Its first instant (epoch ms), which may be over when the answer comes that it is accepted."""
    assert isinstance(trigger.schedule, Simple)
    return trigger.schedule.start


async def _sleep_until(instant: int) -> None:
    await asyncio.sleep(max(0.0, instant / 1000 - time.time()))


async def _all_run(stage: Stage, expected: int) -> None:
    """Until as many runs have started as are to be, or none has for a while; and then a little."""
    before = -1
    while before < len(stage.record.runs) < expected:
        before = len(stage.record.runs)
        await asyncio.sleep(_REST)
        stage.record.read()
    await asyncio.sleep(_REST)
    stage.record.read()


def death(expected: set[str], runs: list[Run], killed_at: int) -> Death:
    """What the runs, in the order in which they started, say of it."""
    counted = Counter(run.firing for run in runs)
    gaps = [(first.started, second.started - first.started) for first, second in pairwise(runs)]
    late = [run.started - int(run.firing.rpartition("@")[2]) for run in runs]
    return Death(
        len(expected),
        len(expected - set(counted)),
        sum(count > 1 for count in counted.values()),
        max((gap for at, gap in gaps if at + gap < killed_at), default=0) / 1000,
        max((gap for at, gap in gaps if at + gap >= killed_at), default=0) / 1000,
        max(late, default=0) / 1000,
    )


# A minority is left


class Minority(NamedTuple):
    """The runs that started once only one member of three was left: within the window in which that
    is noticed, and after it."""

    within: int
    after: int
    window: float


async def minority(folder: Path, window: float, seconds: float) -> Minority:
    """Kill two members of three at once, and look at what still starts."""
    async with Stage(folder) as stage:
        await schedule(stage, 100, 1.0, None)
        await asyncio.sleep(_LEAD + _REST)
        for number in (0, 1):
            stage.members.kill(number)
        killed_at = stage.record.now()
        await asyncio.sleep(window + seconds)
        stage.record.read()
        after = [run.started - killed_at for run in stage.record.runs if run.started > killed_at]
    within = sum(each <= 1000 * window for each in after)
    return Minority(within, len(after) - within, window)
