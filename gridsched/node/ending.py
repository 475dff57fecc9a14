"""Applying commands that end a firing: cancel, discard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from gridsched.errors import NotFound
from gridsched.model.firing import Firing
from gridsched.model.keys import job_of, parse_key, trigger_of
from gridsched.model.submission import CancelFiring, Discard
from gridsched.node.core import Core
from gridsched.node.locks import JobLocks
from gridsched.policy import submissions as policy
from gridsched.policy.acquire import Acquisition
from gridsched.stores.record import Record, change

_RESULT_TRIES: Final = 10
_RESULT_PAUSE: Final = 0.01


class Ending:
    """Ends firings; what cannot be done is raised as the reason."""

    def __init__(self, core: Core, locks: JobLocks) -> None:
        self._core = core
        self._caches = core.caches
        self._clock = core.clock
        self._locks = locks

    async def apply(self, command: CancelFiring | Discard) -> None:
        """NotFound where there is no such firing, or it has ended and cannot be cancelled."""
        if isinstance(command, CancelFiring):
            await self._cancel(command.key)
        else:
            await self._discard(command.key)

    async def _cancel(self, key: str) -> None:
        reason = "cancelled by request"
        changed = await self._change(
            key, reason, lambda f: policy.cancel_unfinished(f, reason, self._clock.now())
        )
        if changed is None or changed.state != "CANCELLED":
            state = "gone" if changed is None else changed.state
            raise NotFound(f"firing {key} cannot be cancelled: it is {state}")

    async def _discard(self, key: str) -> None:
        reason = "discarded"
        changed = await self._change(
            key, reason, lambda f: policy.discard(f, reason, self._clock.now())
        )
        if changed is not None and changed.returned:
            await self._remove_result(key)

    async def _remove_result(self, key: str) -> None:
        """It comes within moments after the firing is complete, if it is not there yet."""
        results = self._caches.results
        for _ in range(_RESULT_TRIES):
            if await results.map.remove(results.data_key(key)) is not None:
                return
            await asyncio.sleep(_RESULT_PAUSE)

    async def _change(
        self, key: str, reason: str, step: Callable[[Firing], Firing]
    ) -> Firing | None:
        """Take a firing, claimed or not, a step that ends it; None where it went. NotFound where
        there is none."""
        record = await self._caches.firings.get(key) or await self._cancelled_ahead(key, reason)
        changed = await change(self._caches.firings, record, step)
        if changed is None:
            return None
        if changed.value.started_at is None:  # else its member gives the lock back
            await self._locks.give_back(changed.value)
        return changed.value

    async def _cancelled_ahead(self, key: str, reason: str) -> Record[Firing]:
        """The record of a trigger's next instant, which nobody has claimed yet: CANCELLED, unless
        somebody claims it at this moment."""
        trigger = await self._caches.triggers.get(trigger_of(key))
        job = await self._caches.jobs.get(job_of(key))
        if trigger is None or job is None or trigger.value.next_fire != parse_key(key).scheduled:
            raise NotFound(f"there is no firing {key}")
        cancelled = policy.cancelled_ahead(trigger.value, job.value, reason, self._acquisition())
        record = self._caches.firings.written(cancelled)
        if await self._caches.firings.create(cancelled):
            return record
        return await self._caches.firings.get(key) or record

    def _acquisition(self) -> Acquisition:
        core = self._core
        kept = core.settings.caches.firing_retention_ms
        return Acquisition(core.name, core.clock.now(), core.lease, kept)
