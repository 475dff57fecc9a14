"""What goes wrong with hosts and grid members, and when: drawn from the seed before anything starts.

Every trouble is an element of the plan: it meets the same host at the same time for as long,
whichever other elements are left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from heapq import merge
from itertools import count
from typing import Final, NamedTuple

from gridsched.grid.faults import Rates
from gridsched.simulation.fault_rates import FaultRates
from gridsched.simulation.history import Trouble
from gridsched.simulation.hosts import Host, World
from gridsched.simulation.scenario import Scenario
from gridsched.simulation.workload import Chance

_HOUR: Final = 3600.0


class Stroke(NamedTuple):
    """A trouble to come, `at` so many seconds after the begin, for so many `lasting` ones. `share`,
    from 0 to 1, says which member dies, or where a clock is set between its extremes."""

    at: float
    name: str
    lasting: float
    share: float

    @property
    def kind(self) -> str:
        """crash, stall, restart, cut, clock or member."""
        return self.name.partition(".")[0].partition("-")[0]


def on_host(chance: Chance, faults: FaultRates, number: int, until: float) -> Iterator[Stroke]:
    """The troubles of a host, one at a time: what would begin during another is left out."""
    outage, free = faults.longest_outage, 0.0
    crashes = _track(chance, f"crash-{number}", faults.crashes, outage, until)
    stalls = _track(chance, f"stall-{number}", faults.stalls, faults.longest_stall, until)
    restarts = _track(chance, f"restart-{number}", faults.restarts, 0.0, until)
    cuts = _track(chance, f"cut-{number}", faults.cuts, outage, until)
    for stroke in merge(crashes, stalls, restarts, cuts):
        if stroke.at >= free:
            free = stroke.at + stroke.lasting
            yield stroke


def on_clock(chance: Chance, faults: FaultRates, number: int, until: float) -> Iterator[Stroke]:
    """When the clock of a host is set: it is wrong from the begin."""
    if faults.skew:
        first = chance(f"first clock of {number}").random()
        yield Stroke(0.0, f"clock-{number}.0", 0.0, first)
        yield from _track(chance, f"clock-{number}", faults.clock_jumps, 0.0, until)


def on_members(chance: Chance, faults: FaultRates, until: float) -> Iterator[Stroke]:
    """When a grid member dies, one at a time."""
    yield from _track(chance, "member", faults.member_crashes, faults.longest_outage, until)


def _track(
    chance: Chance, name: str, rate: float, longest: float, until: float
) -> Iterator[Stroke]:
    random, at = chance(name), 0.0
    for number in count(1) if rate > 0 else ():
        at += random.expovariate(rate / _HOUR)
        if at >= until:
            return
        lasting = random.uniform(min(0.1, longest), longest)
        yield Stroke(at, f"{name}.{number}", lasting, random.random())
        at += lasting


class Chaos:
    """Makes the troubles of a scenario until it is told to stop; then it puts everything right."""

    def __init__(self, world: World, chance: Chance, scenario: Scenario) -> None:
        self._world = world
        self._chance = chance
        self._scenario = scenario
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start to make trouble."""
        chance, faults, span = self._chance, self._scenario.faults, self._scenario.span
        for number, host in enumerate(self._world.hosts):
            self._carry_out(on_clock(chance, faults, number, span), partial(self._set_clock, host))
            self._carry_out(on_host(chance, faults, number, span), partial(self._strike, host))
        self._carry_out(on_members(chance, faults, span), self._crash_member)

    async def stop(self) -> None:
        """No more trouble; what is under way ends now."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for host in self._world.hosts:
            host.faults.change_rates(Rates())

    def _carry_out(
        self, strokes: Iterable[Stroke], strike: Callable[[Stroke], Awaitable[None]]
    ) -> None:
        kept = (stroke for stroke in strokes if self._scenario.keeps(stroke.name))
        self._tasks.append(asyncio.create_task(self._one_by_one(kept, strike)))

    async def _one_by_one(
        self, strokes: Iterable[Stroke], strike: Callable[[Stroke], Awaitable[None]]
    ) -> None:
        for stroke in strokes:
            ahead = stroke.at - self._world.loop.time()
            if ahead < 0 and stroke.kind != "clock":
                continue  # while the cluster was not up yet
            await asyncio.sleep(max(0.0, ahead))
            await strike(stroke)

    async def _set_clock(self, host: Host, stroke: Stroke) -> None:
        most = self._scenario.faults.skew * 1000
        host.clock.skew = round((2 * stroke.share - 1) * most)

    async def _strike(self, host: Host, stroke: Stroke) -> None:
        since = self._world.clock.now()
        self._begin(stroke.kind, host)
        try:
            if stroke.kind == "restart":
                await self._world.stop(host)
            else:
                await asyncio.sleep(stroke.lasting)
        finally:
            self._end(stroke.kind, host)
            self._note(stroke.kind, host.name, since)

    def _begin(self, kind: str, host: Host) -> None:
        match kind:
            case "crash":
                self._world.crash(host)
            case "stall":
                self._world.loop.freeze(host.id)
            case "cut":
                host.faults.cut_off = True

    def _end(self, kind: str, host: Host) -> None:
        match kind:
            case "crash":
                self._world.start(host)
            case "stall":
                self._world.loop.thaw(host.id)
            case "cut":
                host.faults.cut_off = False

    async def _crash_member(self, stroke: Stroke) -> None:
        grid = self._world.grid
        since = self._world.clock.now()
        grid.kill_member(grid.members[int(stroke.share * len(grid.members))].uuid)
        try:
            await asyncio.sleep(stroke.lasting)
        finally:
            grid.add_member()
            self._note("member", "", since)

    def _note(self, kind: str, host: str, since: int) -> None:
        self._world.record.troubles.append(Trouble(kind, host, since, self._world.clock.now()))
