"""The hosts of a simulation: each runs one node, unchanged, and may die, freeze, or be cut off."""

from __future__ import annotations

import asyncio
import contextlib
from contextvars import copy_context
from random import Random
from typing import Final

from gridsched.clock import Ids, random_ids
from gridsched.errors import GridError, NodeNameTaken
from gridsched.grid.embedded import EmbeddedCluster, EmbeddedGrid
from gridsched.grid.faults import Faults, FaultyGrid
from gridsched.node.assembly import assemble
from gridsched.node.node import Node
from gridsched.simulation.history import RECORD, Record
from gridsched.simulation.loop import SimulationLoop
from gridsched.simulation.machine import SimulatedMachine
from gridsched.simulation.scenario import Scenario
from gridsched.simulation.virtual_time import VirtualClock

RESTART: Final = 1.0
"""Seconds after which a supervisor starts a node again that could not start, or stopped."""


def chance(seed: int, purpose: str) -> Random:
    """A source of chance of its own for each purpose, so that none disturbs another."""
    return Random(f"{seed} {purpose}")


def shuffled(scenario: Scenario, purpose: str) -> Random:
    """`chance` of what the plan leaves open: another one for each shuffle."""
    return chance(scenario.seed, f"{purpose} {scenario.shuffle}" if scenario.shuffle else purpose)


class Host:
    """A machine with one node on it, which its supervisor starts again whenever it ends."""

    def __init__(self, name: str, clock: VirtualClock, faults: Faults) -> None:
        self.name = name
        self.clock = clock
        self.faults = faults
        self.starts = 0
        self.started = asyncio.Event()
        self.grid: FaultyGrid | None = None
        self.node: Node | None = None

    @property
    def id(self) -> str:
        """This start of the host, as its loop knows it."""
        return f"{self.name}#{self.starts}"


class World:
    """The grid, the hosts and the true clock of one simulation."""

    def __init__(self, loop: SimulationLoop, scenario: Scenario) -> None:
        self.loop = loop
        self.clock = VirtualClock(loop, start=scenario.start)
        self.record = Record(self.clock.now)
        self.settings = scenario.settings
        self.hosts: list[Host] = []
        self._scenario = scenario
        self._ids: Ids = random_ids(self.random("ids"))
        self._rates = scenario.faults.grid
        grid_ids = random_ids(self.random("ids of the grid"))
        self.grid = EmbeddedCluster(self.clock.now, grid_ids, members=scenario.members)

    def random(self, purpose: str) -> Random:
        """`shuffled` of this simulation."""
        return shuffled(self._scenario, purpose)

    async def add_host(self, name: str) -> Host:
        """A new host, once its node is active."""
        faults = Faults(self.random(f"grid of {name}"), self._rates)
        host = Host(name, VirtualClock(self.loop, start=self.clock.start), faults)
        self.hosts.append(host)
        self.start(host)
        await host.started.wait()
        return host

    def start(self, host: Host) -> None:
        """Start the host's node; its supervisor sees that it stays so."""
        host.starts += 1
        task = self.loop.spawn(host.id, self._supervise(host))
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = task.exception()
        if error is not None:
            raise error

    def crash(self, host: Host) -> None:
        """The host dies at whatever await it is: nothing is said, nothing given back."""
        self.loop.kill(host.id)
        if host.grid is not None:
            closing = host.grid.close()
            self.loop.create_task(closing, context=copy_context())
        host.grid = host.node = None

    async def stop(self, host: Host) -> None:
        """Stop the host's node in order; its supervisor starts another. At once where none is up."""
        if host.node is not None:
            await self.loop.spawn(host.id, host.node.stop())

    async def _supervise(self, host: Host) -> None:
        RECORD.set(self.record)
        while True:
            with contextlib.suppress(GridError, NodeNameTaken):
                await self._run(host)
            host.node = None
            if host.grid is not None:
                await host.grid.close()
            host.grid = None
            await asyncio.sleep(RESTART)

    async def _run(self, host: Host) -> None:
        """One life of the host's node: until it stops by itself, or cannot start."""
        members = self.grid.members
        beside = members[int(host.name.rpartition("-")[2]) % len(members)].uuid
        host.grid = FaultyGrid(EmbeddedGrid(self.grid, beside), host.faults)
        await host.grid.open()
        node = await assemble(
            self.settings,
            host.grid,
            host.clock,
            self._ids,
            SimulatedMachine(),
            name=host.name,
            address=host.name,
        )
        await node.start()
        host.started.set()
        host.node = node
        await node.stopped.wait()
