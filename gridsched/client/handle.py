"""A handle on one firing: its state, its result."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from gridsched.clock import Clock
from gridsched.errors import JobCancelled, JobFailed, NotFound, ResultTimeout
from gridsched.model.firing import FINAL, Firing
from gridsched.stores.caches import Caches

_FIRST_WAIT: Final = 0.002
_LONGEST_WAIT: Final = 0.25
RESULT_WAIT: Final = 5.0
"""Seconds within which a result is there whose firing is COMPLETE; else its retention is over."""


class AsyncHandle:
    """One firing of a job, from before it exists until its record is forgotten."""

    def __init__(
        self,
        key: str,
        caches: Caches,
        clock: Clock,
        cancel: Callable[[str], Awaitable[None]],
    ) -> None:
        self.key = key
        self._caches = caches
        self._clock = clock
        self._cancel = cancel

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.key}>"

    async def firing(self) -> Firing | None:
        """The firing's record; None where it is not claimed yet, or forgotten already."""
        record = await self._caches.firings.get(self.key)
        return None if record is None else record.value

    async def state(self) -> str:
        """The firing's state (see `gridsched.model.firing`); "NONE" where it has no record."""
        firing = await self.firing()
        return "NONE" if firing is None else firing.state

    async def result(self, timeout: float | None = None) -> Any:
        """What the job returned, once it has.

        JobCancelled or JobFailed where it ended otherwise, ResultTimeout where it has not ended in
        `timeout` seconds.
        """
        firing = await self._ended(timeout)
        failure = failure_of(firing)
        if failure is not None:
            raise failure
        return await self._value() if firing.returned else None

    async def cancel(self) -> None:
        """Cancel it, though it runs: see `AsyncScheduler.cancel`."""
        await self._cancel(self.key)

    async def _ended(self, timeout: float | None) -> Firing:
        until = None if timeout is None else self._clock.monotonic() + timeout
        wait = _FIRST_WAIT
        while True:
            firing = await self.firing()
            if firing is not None and firing.state in FINAL:
                return firing
            left = wait if until is None else min(wait, until - self._clock.monotonic())
            if left <= 0:
                state = "not claimed" if firing is None else firing.state
                why = f": {firing.error}" if firing is not None and firing.error else ""
                raise ResultTimeout(
                    f"{self.key} has not ended in {timeout:g} s: it is {state}{why}"
                )
            await asyncio.sleep(left)
            wait = min(wait * 1.5, _LONGEST_WAIT)

    async def _value(self) -> Any:
        """The result follows the final record within moments."""
        until = self._clock.monotonic() + RESULT_WAIT
        while self._clock.monotonic() < until:
            record = await self._caches.results.get(self.key)
            if record is not None and record.value.drained_by:
                raise NotFound(f"the result of {self.key} is gone: it was drained")
            if record is not None:
                return record.value.value
            await asyncio.sleep(_FIRST_WAIT)
        raise NotFound(f"the result of {self.key} is gone: its retention is over")


def failure_of(firing: Firing) -> JobFailed | None:
    """What waiting for a firing that is final raises; None where it is COMPLETE."""
    state, error = firing.state, firing.error
    if state == "COMPLETE":
        return None
    if state == "CANCELLED":
        return JobCancelled(f"{firing.key} was cancelled: {error}", state=state, error=error)
    return JobFailed(f"{firing.key} ended {state}: {error}", state=state, error=error)
