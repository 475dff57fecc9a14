"""Runs one simulation from its scenario, and judges it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import gridsched
from gridsched.client.scheduler import AsyncScheduler
from gridsched.clock import random_ids
from gridsched.grid.data import text_of
from gridsched.grid.embedded import EmbeddedGrid
from gridsched.grid.embedded.maps import MapChange
from gridsched.grid.faults import Faults, FaultyGrid, Rates
from gridsched.grid.port import Grid
from gridsched.simulation.chaos import Chaos
from gridsched.simulation.checker import check
from gridsched.simulation.facts import Violation
from gridsched.simulation.history import Bounds, History, Trouble, Written
from gridsched.simulation.hosts import World, chance, shuffled
from gridsched.simulation.loop import HOST, SimulationLoop
from gridsched.simulation.plan import wishes_of
from gridsched.simulation.scenario import Scenario
from gridsched.simulation.workload import Workload
from gridsched.stores.caches import Caches, open_caches

_TELL: Final = 60.0
"""Virtual seconds between two words of progress."""

_FOLDER: Final = str(Path(gridsched.__file__).parents[1]).encode()
"""Where the code is: errors of jobs name its files, and a trace is the same wherever it is."""

Progress = Callable[[float], None]
"""Told now and then how many virtual seconds have gone by."""

Watched = Callable[[str], bool]
"""Is what happens to this key in the maps to be written down?"""


class Report(NamedTuple):
    """What a simulation came to. `trace` is the hash of all that happened in it."""

    scenario: Scenario
    history: History
    violations: tuple[Violation, ...]
    trace: str


class Trace:
    """A hash over every change of every map, with its instant."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._hash = hashlib.sha256()

    def follow(self, change: MapChange) -> None:
        self._hash.update(b"%d " % self._now())
        self._hash.update(change.key or b"")
        self._hash.update(text_of(change.new or b"").replace(_FOLDER, b""))

    def digest(self) -> str:
        return self._hash.hexdigest()[:16]


def simulate(
    scenario: Scenario,
    progress: Progress = lambda _seconds: None,
    watched: Watched | None = None,
) -> Report:
    """Run a scenario to its end. The same one gives the same report. Changes in the maps of the keys
    that are watched are written down, too."""
    loop = SimulationLoop(shuffled(scenario, "order"))
    defects = Defects()
    try:
        with defects:
            simulation = _Simulation(scenario, loop, defects, watched)
            report: Report = loop.run_until_complete(simulation.run(progress))
            return report
    finally:
        loop.close()


class Defects(logging.Handler):
    """What the nodes log of themselves while this is entered: kept where it shows a defect, and
    else not printed, for a simulation is full of what would be news anywhere else."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []
        self._log = logging.getLogger("gridsched")

    def __enter__(self) -> None:
        self._before = self._log.level, self._log.propagate
        self._log.setLevel(logging.ERROR)
        self._log.propagate = False
        self._log.addHandler(self)

    def __exit__(self, *_error: object) -> None:
        self._log.removeHandler(self)
        level, self._log.propagate = self._before
        self._log.setLevel(level)

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            trace = "".join(traceback.format_exception(record.exc_info[1]))
            self.found.append(f"{record.getMessage()}\n{trace}")
        elif record.name == "gridsched.self-check":
            self.found.append(record.getMessage())


class _Simulation:
    def __init__(
        self, scenario: Scenario, loop: SimulationLoop, defects: Defects, watched: Watched | None
    ) -> None:
        self._scenario = scenario
        self._defects = defects
        self._watched = watched
        self._world = World(loop, scenario)
        self._chaos = Chaos(self._world, partial(chance, scenario.seed), scenario)
        self._trace = Trace(self._world.clock.now)
        self._client_faults = Faults(self._world.random("grid of the client"))

    async def run(self, progress: Progress) -> Report:
        scenario, world = self._scenario, self._world
        span = scenario.trouble
        client = await self._client()
        for number in range(scenario.nodes):
            await world.add_host(f"node-{number}")
        self._follow()
        self._chaos.start()
        asked = (wish for wish in wishes_of(scenario) if scenario.keeps(wish.name))
        users = asyncio.create_task(Workload(world, client).give(world.clock.start, asked))
        while world.loop.time() < span:
            await asyncio.sleep(min(_TELL, span - world.loop.time()))
            progress(world.loop.time())
        users.cancel()
        await asyncio.wait([users])
        if not users.cancelled():
            users.result()
        await self._chaos.stop()
        self._client_faults.change_rates(Rates())
        calm_since = world.clock.now()
        await asyncio.sleep(max(0.0, span + scenario.calm - world.loop.time()))
        progress(world.loop.time())
        history = await self._history(calm_since)
        return Report(scenario, history, check(history), self._trace.digest())

    def _follow(self) -> None:
        maps = self._world.grid.maps
        for held in maps.values():
            held.listeners.append(self._trace.follow)
            if self._watched is not None:
                held.listeners.append(partial(self._write_down, held.name, self._watched))
        maps[self._scenario.settings.caches.names.membership].listeners.append(self._bury)

    def _write_down(self, name: str, watched: Watched, change: MapChange) -> None:
        key = text_of(change.key or b"").decode()
        if watched(key):
            old, new = (text_of(value or b"") for value in (change.old, change.new))
            at, host = self._world.clock.now(), HOST.get()
            self._world.record.written.append(Written(at, host, name, key, old, new))

    def _bury(self, change: MapChange) -> None:
        """A node whose beats were slow was taken for gone, and its record removed by another."""
        name = text_of(change.key).decode() if change.key else ""
        if change.new is None and HOST.get().partition("#")[0] != name:
            now = self._world.clock.now()
            since = now - self._scenario.settings.session_timeout_ms
            self._world.record.troubles.append(Trouble("buried", name, since, now))

    async def _caches(self, grid: Grid) -> Caches:
        await grid.open()
        settings = self._scenario.settings
        return await open_caches(grid, settings.caches, settings.queue_capacity)

    async def _client(self) -> AsyncScheduler:
        """A client that meets faults from now on, but could connect without."""
        world = self._world
        grid = FaultyGrid(EmbeddedGrid(world.grid), self._client_faults)
        caches = await self._caches(grid)
        self._client_faults.change_rates(self._scenario.faults.grid)
        ids = random_ids(world.random("ids of the client"))
        return AsyncScheduler(grid, caches, world.clock, ids, 30.0, owned=True)

    async def _history(self, calm_since: int) -> History:
        world = self._world
        caches = await self._caches(EmbeddedGrid(world.grid))
        submissions = await caches.submissions.find()
        return History(
            record=world.record,
            firings=[record.value for record in await caches.firings.find()],
            triggers={record.key: record.value for record in await caches.triggers.find()},
            jobs={record.key: record.value for record in await caches.jobs.find()},
            locks={record.key: record.value.firing for record in await caches.locks.find()},
            unanswered={r.key: r.value.created_at for r in submissions if r.value.state == "NEW"},
            calm_since=calm_since,
            ended_at=world.clock.now(),
            bounds=_bounds(self._scenario),
            failures=tuple(self._defects.found),
        )


def _bounds(scenario: Scenario) -> Bounds:
    settings, skew = scenario.settings, round(scenario.faults.skew * 1000)
    return Bounds(
        look_ahead=settings.look_ahead_ms,
        threshold=settings.misfire_threshold_ms,
        session_timeout=settings.session_timeout_ms,
        skew=skew,
        settle=4 * settings.session_timeout_ms,
        lateness=2 * settings.poll_interval_ms + skew,
        threads=settings.max_threads,
        call=round(scenario.faults.grid.longest_delay * 1000),
    )
