"""Job locks: at most one unfinished firing of a job whose runs are not to overlap.

A lock is put only for a firing that exists already, so a lock whose firing is final or gone is
certainly stale, and whoever meets it may remove it, once what the firing leaves is stored. But for
one that was cancelled while it ran: its member gives the lock back when it has ended the run, and has
a lease's time for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from gridsched.model.firing import FINAL, Firing
from gridsched.node.core import Core
from gridsched.node.job_data import JobData
from gridsched.stores.locks import JobLock
from gridsched.stores.record import Record, change


class JobLocks:
    """Takes and gives back the locks of jobs, by job key."""

    def __init__(self, core: Core) -> None:
        self._locks = core.caches.locks
        self._firings = core.caches.firings
        self._clock = core.clock
        self._lease = core.lease
        self.job_data = JobData(core.caches)

    async def free(self, job: str) -> bool:
        """Could a firing take the lock now? Removes a stale one."""
        return await self.holder(job) is None

    async def take(self, job: str, firing: Firing) -> bool:
        """Take the lock for a firing that exists; True also where it holds it already."""
        lock = JobLock(job, firing.key, firing.round)
        if await self._locks.create(lock):
            return True
        holder = await self.holder(job)
        if holder is not None and holder.key != firing.key:
            return False
        return await self._keep(lock) or await self._locks.create(lock)

    async def _keep(self, lock: JobLock) -> bool:
        """Hold on to a lock in this round of its firing: whoever saw it in an earlier one, while the
        firing was parked, may be about to remove it. False where it is another's, or gone."""
        while (record := await self._locks.get(lock.job)) is not None:
            if record.value.firing != lock.firing:
                return False
            latest = max(record.value.round, lock.round)
            if await self._locks.replace(record, replace(record.value, round=latest)):
                return True
        return False

    async def take_or_wait(self, job: str, firing: Firing) -> bool:
        """As `take`; but where another holds the lock, the first firing that waits is handed it: a
        job that is busy all the time starves nobody."""
        if await self.take(job, firing):
            return True
        record = await self._locks.get(job)
        if record is not None and record.value.waiting is None:
            waiting = (firing.key, firing.round)
            await self._locks.replace(record, replace(record.value, waiting=waiting))
        return False

    async def give_back(self, firing: Firing) -> None:
        """Release the lock of its job if that firing holds it, but not of a later round."""
        while (record := await self._locks.get(firing.job)) is not None:
            held = record.value.firing == firing.key and record.value.round <= firing.round
            if not held or await self._pass_on(record):
                return

    async def _pass_on(self, record: Record[JobLock]) -> bool:
        """To the firing that waits for it, or to whoever asks first; False where it has changed."""
        waiting = record.value.waiting
        if waiting is None:
            (done,) = await self._locks.apply([self._locks.removed(record)])
            return done
        return await self._locks.replace(record, JobLock(record.key, *waiting))

    async def release_stale(self, partitions: Sequence[int]) -> None:
        """Release the locks of what is over in these partitions: whoever was to give them back died."""
        locks = await self._locks.find([], partitions)
        firings = await self._firings.get_all({lock.value.firing for lock in locks})
        for lock in locks:
            firing = firings.get(lock.value.firing)
            if firing is None or not self._holds(firing.value):
                await self.holder(lock.key)

    async def step(self, record: Record[Firing], step: Callable[[Firing], Firing]) -> None:
        """Take a firing one step; the lock of one that this ends or parks is released. One that it
        cancels while it runs keeps its lock: its member gives it back."""
        changed = await change(self._firings, record, step)
        if changed is None or record.value.state in FINAL or self._holds(changed.value):
            return
        if changed.value.leaves is None:  # else it ended meanwhile, and its member is at it
            await self.give_back(changed.value)

    async def holder(self, job: str) -> Record[Firing] | None:
        """The firing that has the job to itself; None where none has. Passes on a stale lock."""
        while (record := await self._locks.get(job)) is not None:
            firing = await self._firings.get(record.value.firing)
            if firing is not None and self._holds(firing.value):
                return firing
            if firing is not None and firing.value.leaves is not None:
                await self.job_data.store(job, firing.key)
            await self._pass_on(record)
        return None

    def _holds(self, firing: Firing) -> bool:
        """May it still be running, or is it still to run?"""
        if firing.state == "CANCELLED" and firing.started_at is not None:
            return self._clock.now() < (firing.finished_at or 0) + self._lease
        return firing.state not in FINAL | {"PAUSED"}
