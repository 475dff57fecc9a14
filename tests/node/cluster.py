"""Nodes on one embedded grid, on virtual time: what the tests of the node share."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

from gridsched.client.scheduler import AsyncScheduler
from gridsched.clock import random_ids
from gridsched.config.settings import Settings
from gridsched.grid.embedded import EmbeddedCluster, EmbeddedGrid
from gridsched.grid.faults import Faults, FaultyGrid
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.node.assembly import assemble
from gridsched.node.hooks import Hook
from gridsched.node.node import Node
from gridsched.node.system_machine import SystemMachine
from gridsched.simulation.virtual_time import VirtualClock, VirtualTimeLoop
from gridsched.stores.caches import open_caches

SELDOM: Final = {
    "poll_interval_ms": 5_000,
    "look_ahead_ms": 10_000,
    "session_timeout_ms": 60_000,
}
"""Settings for tests that last hours: a node looks for due triggers, and beats, a tenth as often."""


def job(function: str = "note", **fields: Any) -> Job:
    """A job whose target is a function of `jobs_under_test`."""
    return Job(f"jobs_under_test:{function}", **fields)


class Runs(Hook):
    """Every run that any node started or finished, in order."""

    def __init__(self) -> None:
        self.started: list[Firing] = []
        self.finished: list[Firing] = []

    def on_started(self, firing: Firing) -> None:
        self.started.append(firing)

    def on_finished(self, firing: Firing, value: Any) -> None:
        self.finished.append(firing)


class Cluster:
    """A grid with some members, nodes beside them, and a client."""

    def __init__(self, loop: VirtualTimeLoop, members: int = 2, **settings: Any) -> None:
        self.loop = loop
        self.clock = VirtualClock(loop)
        self.ids = random_ids(random.Random(1))
        self.grid = EmbeddedCluster(self.clock.now, self.ids, members=members)
        self.settings = Settings(**{"allowed_jobs": ("jobs_under_test:*",), **settings})
        self.runs = Runs()
        self.nodes: list[Node] = []
        self.faults: dict[str, Faults] = {}
        loop.outside = lambda: any(
            node.parts.shell.in_threads or node.parts.publisher.judging for node in self.nodes
        )

    async def node(self, name: str, **changes: Any) -> Node:
        """Start one more node, beside the next member of the grid."""
        node = await self.assembled(name, **changes)
        await node.start()
        self.nodes.append(node)
        return node

    async def assembled(self, name: str, **changes: Any) -> Node:
        """A node that is not started yet."""
        beside = self.grid.members[len(self.nodes) % len(self.grid.members)].uuid
        faults = self.faults[name] = Faults(random.Random(7))
        grid = FaultyGrid(EmbeddedGrid(self.grid, beside), faults)
        await grid.open()
        settings = Settings(
            **{f: getattr(self.settings, f) for f in Settings.__struct_fields__} | changes
        )
        return await assemble(
            settings,
            grid,
            self.clock,
            self.ids,
            SystemMachine(),
            name=name,
            address=name,
            hooks=[self.runs],
        )

    async def client(self, timeout: float = 10) -> AsyncScheduler:
        grid = EmbeddedGrid(self.grid)
        await grid.open()
        caches = await open_caches(grid, self.settings.caches, self.settings.queue_capacity)
        return AsyncScheduler(grid, caches, self.clock, self.ids, timeout, owned=True)

    async def crash(self, node: Node) -> None:
        """End a node as SIGKILL would: nothing is said, nothing given back."""
        for service in node.services():
            await service._end()
        if node._startup is not None:
            node._startup.cancel()
        await node.grid.close()
        self.nodes.remove(node)

    async def stop(self) -> None:
        for node in self.nodes:
            await node.stop()

    async def until(
        self,
        condition: Callable[[], bool | Awaitable[bool]],
        within: float = 60,
        step: float = 0.01,
    ) -> None:
        """Let virtual time pass until a condition holds."""
        end = self.clock.monotonic() + within
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            assert self.clock.monotonic() < end, f"not within {within} virtual seconds"
            await asyncio.sleep(step)

    async def pass_time(self, seconds: float) -> None:
        """Let virtual time pass."""
        await asyncio.sleep(seconds)
