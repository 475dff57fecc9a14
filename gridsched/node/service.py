"""What every service of a node is: one loop, started and stopped idempotently.

A service survives what its step raises. A grid that is gone for a while is said once, and once more
when it is back; anything else is a defect, logged with its trace and counted.
"""

from __future__ import annotations

import asyncio
import logging
import math
from abc import ABC, abstractmethod
from typing import Final

from gridsched.errors import GridError

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0


class Service(ABC):
    """A loop that calls `step` until it is stopped."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.failures = 0
        self.log = logging.getLogger(f"gridsched.{name}")
        self._task: asyncio.Task[None] | None = None
        self._finishing = False
        self._woken = False
        self._resting: asyncio.Future[None] | None = None

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
        self._woken = True
        if self._resting is not None:
            _awaken(self._resting)

    async def rest(self, seconds: float | None) -> None:
        """Wait for `wake`, at most so long (None: for ever), in whole milliseconds, rounded up.

        uvloop's timers count in these: a rest that ended a hair before a deadline would be begun
        again and again until it is there.
        """
        if not self._woken:
            loop = asyncio.get_running_loop()
            # Not wait_for, which makes a task for every rest.
            self._resting = resting = loop.create_future()
            timer = None
            if seconds is not None:
                timer = loop.call_later(_whole_ms(seconds), _awaken, resting)
            try:
                await resting
            finally:
                self._resting = None
                if timer is not None:
                    timer.cancel()
        self._woken = False

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


def _whole_ms(seconds: float) -> float:
    return max(1, math.ceil(seconds * 1000 - 1e-6)) / 1000


def _awaken(resting: asyncio.Future[None]) -> None:
    if not resting.done():
        resting.set_result(None)
