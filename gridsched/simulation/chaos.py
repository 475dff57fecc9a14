"""What goes wrong with hosts and grid members, and when: drawn from the seed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from gridsched.grid.faults import Rates
from gridsched.simulation.history import Trouble
from gridsched.simulation.hosts import Host, World
from gridsched.simulation.scenario import FaultRates

_HOUR: Final = 3600.0


class Chaos:
    """Makes trouble until it is told to stop; then it puts everything right."""

    def __init__(self, world: World, faults: FaultRates) -> None:
        self._world = world
        self._faults = faults
        self._random = world.random("chaos")
        self._tasks: list[asyncio.Task[None]] = []
        self._busy: set[str] = set()

    def start(self) -> None:
        """Start to make trouble."""
        faults = self._faults
        for host in self._world.hosts:
            self._set_clock(host)
            self._every(faults.crashes, partial(self._crash, host))
            self._every(faults.stalls, partial(self._stall, host))
            self._every(faults.cuts, partial(self._cut, host))
            self._every(faults.clock_jumps, partial(self._jump, host))
        self._every(faults.member_crashes, self._crash_member)

    async def stop(self) -> None:
        """No more trouble; what is under way ends now."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for host in self._world.hosts:
            host.faults.change_rates(Rates())

    def _every(self, rate: float, trouble: Callable[[], Awaitable[None]]) -> None:
        if rate > 0:
            self._tasks.append(asyncio.get_running_loop().create_task(self._at(rate, trouble)))

    async def _at(self, rate: float, trouble: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(self._random.expovariate(rate / _HOUR))
            await trouble()

    def _set_clock(self, host: Host) -> None:
        most = self._faults.skew * 1000
        host.clock.skew = round(self._random.uniform(-most, most))

    async def _jump(self, host: Host) -> None:
        self._set_clock(host)

    async def _crash(self, host: Host) -> None:
        if host.name in self._busy:
            return
        since = self._begin(host)
        self._world.crash(host)
        try:
            await asyncio.sleep(self._random.uniform(0.1, self._faults.longest_outage))
        finally:
            self._world.start(host)
            self._end("crash", host, since)

    async def _stall(self, host: Host) -> None:
        if host.name in self._busy:
            return
        since, id = self._begin(host), host.id
        self._world.loop.freeze(id)
        try:
            await asyncio.sleep(self._random.uniform(0.1, self._faults.longest_stall))
        finally:
            self._world.loop.thaw(id)
            self._end("stall", host, since)

    async def _cut(self, host: Host) -> None:
        if host.name in self._busy:
            return
        since = self._begin(host)
        host.faults.cut_off = True
        try:
            await asyncio.sleep(self._random.uniform(0.1, self._faults.longest_outage))
        finally:
            host.faults.cut_off = False
            self._end("cut", host, since)

    async def _crash_member(self) -> None:
        grid = self._world.grid
        since = self._world.clock.now()
        grid.kill_member(self._random.choice(grid.members).uuid)
        try:
            await asyncio.sleep(self._random.uniform(0.1, self._faults.longest_outage))
        finally:
            grid.add_member()
            self._world.record.troubles.append(
                Trouble("member", "", since, self._world.clock.now())
            )

    def _begin(self, host: Host) -> int:
        """One trouble at a time is enough for a host."""
        self._busy.add(host.name)
        return self._world.clock.now()

    def _end(self, kind: str, host: Host, since: int) -> None:
        self._busy.discard(host.name)
        self._world.record.troubles.append(Trouble(kind, host.name, since, self._world.clock.now()))
