"""The reporter: what running jobs say of themselves, into their records, now and then."""

from __future__ import annotations

from typing import Final

from gridsched.model.firing import Firing
from gridsched.node.core import Core
from gridsched.node.run import Run
from gridsched.node.service import Service
from gridsched.node.shell.finisher import same_run
from gridsched.node.shell.shell import Shell
from gridsched.stores.record import Record

INTERVAL: Final = 0.5
"""Seconds between two looks: a job may report as often as it likes."""


class Reporter(Service):
    """Writes the latest progress and checkpoint of every run that has said something new."""

    def __init__(self, core: Core, shell: Shell) -> None:
        super().__init__("reporter")
        self._firings = core.caches.firings
        self._shell = shell

    async def step(self) -> None:
        await self._shell.runs.some.wait()
        await self.rest(INTERVAL)
        for run in self._shell.runs:
            if run.said is not run.told:
                await self._tell(run)

    async def _tell(self, run: Run) -> None:
        said = run.said
        record: Record[Firing] | None = run.firing
        while record is not None and same_run(record.value, run.firing.value):
            noted = self._firings.written(run.noted(record.value))
            if await self._firings.replace(record, noted.value):
                run.firing = noted
                break
            record = await self._firings.get(run.firing.key)
        run.told = said
