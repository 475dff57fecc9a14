"""A whole trial: users at work while the plan is carried out, a calm, and the checker's judgement."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.chaos.jobs import draw
from benchmarks.chaos.plan import Stroke, plan
from benchmarks.chaos.stage import NodeProcess, Stage
from gridsched.clock import Clock, SystemClock
from gridsched.simulation.checker import check
from gridsched.simulation.facts import Violation
from gridsched.simulation.history import Bounds, History, Record, Trouble
from gridsched.simulation.hosts import chance
from gridsched.simulation.workload import Workload, wishes

MEMBERS: Final = 3
NODES: Final = 3

LATENESS_MS: Final = 4000
"""How late a run may start in the calm: a machine that is busy with other work, too, is slow."""

ENTRY_MS: Final = 3000
"""How long a run that its node has started may take until its function is entered: a process has to be
started first, on a machine that is busy."""

COMMANDS: Final = 1.0
"""Given a second."""

_SPAN: Final = 120.0
"""In so many seconds at most, triggers that fire again and again do so a few times."""

_READ_INTERVAL: Final = 0.5
_LOOKS: Final = 3
_LOOK_AGAIN: Final = 4.0
"""How often the grid is looked at before a rule counts as broken, and the seconds between."""


class Trial(NamedTuple):
    """What is tried: for `seconds` there is trouble, then a calm that the bounds ask for. `planted`
    names a bug that every node has, which the checker is to find."""

    seed: int
    seconds: float
    triggers: int = 120
    session_timeout_ms: int = 3000
    planted: str = ""

    @property
    def settle(self) -> int:
        """How long (ms) after the last trouble everything is right again: that of the simulation."""
        return 4 * self.session_timeout_ms

    @property
    def calm(self) -> float:
        """Seconds without trouble at the end, enough for some runs that must be in time."""
        return 2 * self.settle / 1000


class Judged(NamedTuple):
    """A trial's history, with what the checker says of it."""

    trial: Trial
    history: History
    violations: tuple[Violation, ...]


Say = Callable[[str], None]


async def carry_out(trial: Trial, folder: Path, say: Say) -> Judged:
    """Run a trial to its end. The seed settles the plan and the users; processes and threads of a real
    machine take turns as they like, so that two runs of a seed are alike, not the same."""
    stage = Stage(
        folder,
        members=MEMBERS,
        nodes=NODES,
        session_timeout_ms=trial.session_timeout_ms,
        planted=trial.planted,
    )
    async with stage:
        say(f"{MEMBERS} members and {NODES} nodes are up; logs in {folder}")
        place = _Place(stage.record)
        reading = asyncio.create_task(_read(stage))
        begin = place.clock.now()
        asked = wishes(
            partial(chance, trial.seed),
            partial(draw, stage.subscribers.url),
            trial.triggers,
            round(COMMANDS * trial.seconds),
            begin=begin,
            span=min(trial.seconds, _SPAN),
            seconds=trial.seconds,
        )
        giving = asyncio.create_task(Workload(place, stage.client).give(begin, asked))
        await Strokes(stage, trial, say).carry_out()
        giving.cancel()
        await asyncio.wait([giving])
        if not giving.cancelled():
            giving.result()
        calm_since = place.clock.now()
        say(f"calm for {trial.calm:g} s")
        await asyncio.sleep(trial.calm)
        judged = await _judge(stage, trial, calm_since)
        reading.cancel()
    return judged


class _Place:
    """Where the users are."""

    def __init__(self, record: Record) -> None:
        self.clock: Clock = SystemClock()
        self.record = record


async def _read(stage: Stage) -> None:
    """Users cancel what runs: they look at the record."""
    while True:
        stage.record.read()
        await asyncio.sleep(_READ_INTERVAL)


class Strokes:
    """Carries out a plan, and notes the troubles that it makes."""

    def __init__(self, stage: Stage, trial: Trial, say: Say) -> None:
        self._stage = stage
        self._say = say
        self._plan = plan(
            trial.seed, NODES, MEMBERS, trial.seconds, trial.session_timeout_ms / 1000
        )
        self._seconds = trial.seconds
        self._now = stage.record.now

    async def carry_out(self) -> None:
        """Strokes begin while the time lasts; returns when what they did is undone, and all are up."""
        tracks = [self._track(strokes, self._on_node) for strokes in self._plan.nodes]
        tracks.append(self._track(self._plan.members, self._on_member))
        await asyncio.gather(*tracks)
        await self._stage.until(self._stage.members.safe)
        await self._stage.wait_active(self._stage.nodes)

    async def _track(
        self, strokes: Iterator[Stroke], strike: Callable[[Stroke], Awaitable[None]]
    ) -> None:
        until = self._now() + 1000 * self._seconds
        for stroke in strokes:
            if self._now() + 1000 * stroke.pause >= until:
                return
            await asyncio.sleep(stroke.pause)
            await strike(stroke)

    async def _on_node(self, stroke: Stroke) -> None:
        node = self._stage.nodes[stroke.number]
        self._tell(stroke, node.name)
        since = self._now()
        if stroke.kind == "freeze":
            node.signal(signal.SIGSTOP)
            await asyncio.sleep(stroke.lasting)
            node.signal(signal.SIGCONT)
            self._note("stall", node.name, since)
            return
        await self._end(node, stroke)
        await asyncio.sleep(stroke.lasting)
        node.start()
        self._note("crash" if stroke.kind == "kill" else "restart", node.name, since)
        await self._stage.wait_active([node])

    async def _end(self, node: NodeProcess, stroke: Stroke) -> None:
        if stroke.kind == "kill":
            await asyncio.to_thread(node.kill)
        else:
            node.signal(signal.SIGTERM)
            await asyncio.to_thread(node.wait)

    async def _on_member(self, stroke: Stroke) -> None:
        members = self._stage.members
        self._tell(stroke, f"member {stroke.number}")
        since = self._now()
        if stroke.kind == "freeze":
            members.freeze(stroke.number)
            await asyncio.sleep(stroke.lasting)
            members.thaw(stroke.number)
            for node in self._stage.nodes:  # none can reach what that member holds
                self._note("cut", node.name, since)
        else:
            end = members.kill if stroke.kind == "kill" else members.stop
            await asyncio.to_thread(end, stroke.number)
            await asyncio.sleep(stroke.lasting)
            await asyncio.to_thread(members.start, [stroke.number])
        self._note(f"member {stroke.kind}", "", since)
        await self._stage.until(members.safe)

    def _tell(self, stroke: Stroke, whom: str) -> None:
        self._say(f"{stroke.kind} {whom} for {stroke.lasting:.1f} s")

    def _note(self, kind: str, host: str, since: int) -> None:
        self._stage.record.troubles.append(Trouble(kind, host, since, self._now()))


async def _judge(stage: Stage, trial: Trial, calm_since: int) -> Judged:
    """Look at the grid and judge. The cluster goes on meanwhile, so that what is read is no one
    moment's: a rule counts as broken where it is so at every look."""
    suspects: dict[tuple[str, str], Violation] | None = None
    for look in range(_LOOKS):
        if look:
            await asyncio.sleep(_LOOK_AGAIN)
        history = await _history(stage, trial, calm_since)
        found = {(violation.rule, violation.key): violation for violation in check(history)}
        suspects = {k: v for k, v in found.items() if suspects is None or k in suspects}
        if not suspects:
            break
    return Judged(trial, history, tuple((suspects or {}).values()))


async def _history(stage: Stage, trial: Trial, calm_since: int) -> History:
    """Triggers are read before firings, and the record after both: so each instant that a trigger has
    gone past has its record, and each record that says it ran has its run."""
    caches, chosen, record = stage.client.caches, stage.settings, stage.record
    jobs = await caches.jobs.find()
    locks = await caches.locks.find()
    submissions = await caches.submissions.find()
    triggers = await caches.triggers.find()
    ended_at = record.now()
    firings = [found.value for found in await caches.firings.find()]
    record.read()
    known = {firing.key for firing in firings}
    runs = [run for run in record.runs if run.started < ended_at or run.firing in known]
    return History(
        Record(record.now, runs, record.commands, record.troubles),
        firings,
        {found.key: found.value for found in triggers},
        {found.key: found.value for found in jobs},
        {found.key: found.value.firing for found in locks},
        {r.key: r.value.created_at for r in submissions if r.value.state == "NEW"},
        calm_since,
        ended_at,
        Bounds(
            chosen.look_ahead_ms,
            chosen.misfire_threshold_ms,
            chosen.session_timeout_ms,
            skew=0,
            settle=trial.settle,
            lateness=LATENESS_MS,
            threads=chosen.max_threads,
            entry=ENTRY_MS,
        ),
        stage.failures(),
    )
