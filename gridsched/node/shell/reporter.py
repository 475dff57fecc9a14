"""The reporter: what running jobs say of themselves, into their records, now and then."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

from gridsched.model.firing import Firing
from gridsched.node.core import Core
from gridsched.node.run import Run
from gridsched.node.service import Service
from gridsched.node.shell.finisher import same_run
from gridsched.stores.record import Record

INTERVAL: Final = 0.5
"""Seconds between a word and the record of it: a job may report as often as it likes, and what a
short one says goes with its end."""


class Reporter(Service):
    """Writes the latest progress and checkpoint of every run that has said something new."""

    def __init__(self, core: Core) -> None:
        super().__init__("reporter")
        self._firings = core.caches.firings
        self._on_loop = asyncio.get_running_loop().call_soon_threadsafe
        self._spoke: dict[Run, None] = {}

    def spoke(self, run: Run) -> None:
        """A run has said something; called from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the node has stopped
            self._on_loop(self._hear, run)

    def _hear(self, run: Run) -> None:
        self._spoke[run] = None
        self.wake()

    async def step(self) -> None:
        if not self._spoke:
            await self.rest(None)
        await asyncio.sleep(INTERVAL)
        for run in tuple(self._spoke):
            run.unheard = False  # from here on, what it says is heard of again
            if not run.over:
                await self._write(run)
            if not run.unheard:
                del self._spoke[run]

    async def _write(self, run: Run) -> None:
        record: Record[Firing] | None = run.firing
        while record is not None and same_run(record.value, run.firing.value):
            noted = self._firings.written(run.noted(record.value))
            if await self._firings.replace(record, noted.value):
                run.firing = noted
                break
            record = await self._firings.get(run.firing.key)
