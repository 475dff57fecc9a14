"""Retention: what is final goes when its time is over, from owned partitions only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from gridsched.grid.data import partition_of
from gridsched.model.trigger import Trigger
from gridsched.node.core import Core
from gridsched.node.hooks import Hook
from gridsched.node.locks import JobLocks
from gridsched.node.membership import Membership
from gridsched.node.service import Service
from gridsched.policy.ledger import surplus
from gridsched.policy.ownership import slices
from gridsched.stores.record import Record

POLLS: Final = 20
"""Polls of the timer between two rounds."""

SLICE: Final = 64

FENCE_MS: Final = 60_000
"""Firings and results stay so long after they are to go. A firing's record is what keeps a node that
read its trigger before from making it again; and a client needs a moment to collect a result."""


class Retention(Service):
    """Forgets old firings, results and submissions, and of each trigger the firings beyond a number;
    removes triggers that are complete, and jobs that are not durable once their last trigger is gone
    (as Quartz does); releases the locks of jobs whose firings are over.

    applying  held while commands are applied
    """

    def __init__(self, core: Core, membership: Membership, locks: JobLocks) -> None:
        super().__init__("retention")
        self.applying = asyncio.Lock()
        self._caches = core.caches
        self._clock = core.clock
        self._settings = core.settings.caches
        self._interval = POLLS * core.settings.poll_interval_ms / 1000
        self._membership = membership
        self._locks = locks
        self._hooks = core.hooks
        self._counted: dict[int, int] = {}

    async def step(self) -> None:
        await self.rest(self._interval)
        now, settings = self._clock.now(), self._settings
        for part in slices(self._membership.owned(), SLICE):
            await self._caches.firings.forget(now - FENCE_MS, part)
            await self._caches.results.forget(now - FENCE_MS, part)
            await self._caches.submissions.forget(now, part)
            until = now - settings.trigger_retention_ms
            await self._remove_finished(await self._caches.triggers.finished(until, part))
            await self._locks.release_stale(part)
            if settings.firings_kept is not None:
                await self._forget_surplus(settings.firings_kept, now, part)
            # A grid in this process never suspends: what a herd left would be forgotten in one go.
            await asyncio.sleep(0)

    async def _remove_finished(self, finished: Sequence[Record[Trigger]]) -> None:
        """A trigger goes once none of its firings can still run: a retry needs its data."""
        triggers = self._caches.triggers
        over = [record for record in finished if not await self._has_unfinished(record)]
        await triggers.apply([triggers.removed(record) for record in over])
        for record in over:
            await self.remove_left_over(record.value.job, partition_of(record.data_key))

    async def _forget_surplus(self, kept: int, now: int, partitions: Sequence[int]) -> None:
        """Keep the latest final firings of each trigger that has moved on since it was counted."""
        since = min(self._counted.get(partition, 0) for partition in partitions)
        firings = self._caches.firings
        for trigger in await self._caches.triggers.moved(since, partitions):
            partition = partition_of(trigger.data_key)
            ended = await firings.ended(trigger.key, now, partition)
            over = surplus([record.value for record in ended], kept, now - FENCE_MS)
            await firings.apply([firings.removed(r) for r in ended if r.value.scheduled in over])
        # What ended within the fence is for the next count but some.
        self._counted.update(dict.fromkeys(partitions, now - 2 * FENCE_MS))

    async def _has_unfinished(self, record: Record[Trigger]) -> bool:
        found = await self._caches.firings.unfinished_of_trigger(
            record.key, partition_of(record.data_key)
        )
        return any(firing.value.finished_at is None for firing in found)

    async def remove_left_over(self, key: str, partition: int) -> None:
        """As `remove_orphaned_job`, while no command is applied: one that is would give the job a
        trigger between the look at its triggers and its end."""
        async with self.applying:
            await self.remove_orphaned_job(key, partition)

    async def remove_orphaned_job(self, key: str, partition: int) -> None:
        """Remove a job that is not durable and has no trigger any more."""
        job = await self._caches.jobs.get(key)
        if job is None or job.value.durable:
            return
        if not await self._caches.triggers.of_job(key, partition):
            await self._caches.jobs.apply([self._caches.jobs.removed(job)])
            self._hooks.call(Hook.on_job_deleted, key)
            if job.value.events:
                await self._caches.events.map.remove(self._caches.events.data_key(key))
