"""The watcher: ends what runs here though nobody waits for it any more.

A firing that is cancelled, removed, LOST or given to somebody else while it runs has another record.
Most runs are over before anybody looks: only those are asked for that have lasted for a poll interval,
all together, so that short jobs cost the grid nothing more.
"""

from __future__ import annotations

from gridsched.node.core import Core
from gridsched.node.run import Run
from gridsched.node.service import Service
from gridsched.node.shell.finisher import same_run
from gridsched.node.shell.shell import Shell


class Watcher(Service):
    """Asks, now and then, whether the records of long runs are still theirs."""

    def __init__(self, core: Core, shell: Shell) -> None:
        super().__init__("watcher")
        self._firings = core.caches.firings
        self._interval = core.settings.poll_interval_ms / 1000
        self._shell = shell

    async def step(self) -> None:
        await self._shell.runs.some.wait()
        begun = list(self._shell.runs)
        await self.rest(self._interval)
        await self._look([run for run in begun if not run.over])

    async def _look(self, runs: list[Run]) -> None:
        if not runs:
            return
        found = await self._firings.get_all([run.firing.key for run in runs])
        for run in runs:
            there = found.get(run.firing.key)
            if there is None:
                self._shell.give_up(run, "its record was removed")
            elif not same_run(there.value, run.firing.value):
                self._shell.give_up(run, there.value.error or f"it is {there.value.state}")
