"""What every service of a node is: one loop, started and stopped idempotently.

A service survives what its step raises. A grid that is gone for a while is said once, and once more
when it is back; anything else is a defect, logged with its trace and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from typing import Final

from gridsched.errors import GridError

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0
_MOMENT: Final = 0.0001


class Service(ABC):
    """A loop that calls `step` until it is stopped."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.failures = 0
        self.log = logging.getLogger(f"gridsched.{name}")
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._finishing = False

    @abstractmethod
    async def step(self) -> None:
        """One round. Waits for whatever there is to wait for."""

    def start(self) -> None:
        """Start the loop; nothing where it runs already."""
        if self._task is None:
            self._finishing = False
            self._task = asyncio.get_running_loop().create_task(self._loop(), name=self.name)

    async def stop(self) -> None:
        """End the loop and wait for its end; nothing where it does not run."""
        await self._end()

    async def _end(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def wind_down(self, seconds: float) -> None:
        """End the loop after its current step, which may take so long; then stop it."""
        self._finishing = True
        self.wake()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=seconds)
        await self._end()

    @property
    def running(self) -> bool:
        return self._task is not None

    def wake(self) -> None:
        """Make the loop look now instead of at its next interval."""
        self._woken.set()

    async def rest(self, seconds: float | None) -> None:
        """Wait for `wake`, at most so long (None: for ever), at least a moment: a deadline missed
        by the rounding of a float must not be waited for in circles."""
        limit = None if seconds is None else max(seconds, _MOMENT)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), limit)
        self._woken.clear()

    async def _loop(self) -> None:
        pause = 0.0
        while not self._finishing:
            try:
                await self.step()
            except GridError as error:
                if not pause:
                    self.log.warning("%s: the grid fails: %s; trying again", self.name, error)
                pause = min(max(_FIRST_PAUSE, pause * 2), _LONGEST_PAUSE)
            except Exception:
                self.failures += 1
                self.log.exception("%s: a step failed", self.name)
                pause = min(max(_FIRST_PAUSE, pause * 2), _LONGEST_PAUSE)
            else:
                if pause:
                    self.log.info("%s: works again", self.name)
                pause = 0.0
            if pause:
                await asyncio.sleep(pause)
