"""The reporter: what running jobs say of their progress, into their records, now and then."""

from __future__ import annotations

from typing import Final

from gridsched.model.firing import Firing
from gridsched.node.core import Core
from gridsched.node.service import Service
from gridsched.node.shell.finisher import same_run
from gridsched.node.shell.run import Run
from gridsched.node.shell.shell import Shell
from gridsched.policy.transitions import progressed
from gridsched.stores.record import Record

INTERVAL: Final = 0.5
"""Seconds between two looks: a job may report as often as it likes."""


class Reporter(Service):
    """Writes the latest progress of every run that has said something new."""

    def __init__(self, core: Core, shell: Shell) -> None:
        super().__init__("reporter")
        self._firings = core.caches.firings
        self._shell = shell

    async def step(self) -> None:
        await self.rest(INTERVAL)
        for run in self._shell.runs:
            if run.progress is not run.told:
                await self._tell(run)

    async def _tell(self, run: Run) -> None:
        progress = run.progress
        record: Record[Firing] | None = run.firing
        while (
            progress is not None and record is not None and same_run(record.value, run.firing.value)
        ):
            said = progressed(record.value, progress.fraction, progress.message)
            if await self._firings.replace(record, said):
                run.firing = self._firings.written(said)
                break
            record = await self._firings.get(run.firing.key)
        run.told = progress
