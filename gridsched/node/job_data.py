"""Job data that runs leave behind: from a final firing's record into Job-Store.

A run's end is recorded with what it leaves, in one compare-and-set, and due until that is stored. So
a stale end leaves nothing, and a node that dies in between leaves it to whoever looks next.
"""

from __future__ import annotations

from typing import Any

from gridsched.model.job import Job
from gridsched.policy import transitions
from gridsched.policy.job_data import with_leaves
from gridsched.stores.caches import Caches
from gridsched.stores.record import Record


class JobData:
    """Stores what runs leave, and reads what there is."""

    def __init__(self, caches: Caches) -> None:
        self._jobs = caches.jobs
        self._firings = caches.firings
        self._triggers = caches.triggers

    async def store(self, job: str, firing: str) -> None:
        """Store what the final firing leaves, unless that was done before.

        The job is read first: where its firing still leaves something after that, nobody had stored
        it before the job was read, so nothing newer is overwritten.
        """
        while True:
            there = await self._jobs.get(job)
            record = await self._firings.get(firing)
            if record is None or record.value.leaves is None:
                return
            stored = there is None or await self._jobs.replace(
                there, with_leaves(there.value, record.value)
            )
            if stored:
                await self._firings.replace(record, transitions.left(record.value))
                return

    async def fresh(self, job: str, trigger: str) -> tuple[Record[Job], dict[str, Any]] | None:
        """The job, and the data for a run of it by a trigger, as they are now; None where one of
        them is gone."""
        found = await self._jobs.get(job)
        by = await self._triggers.get(trigger)
        if found is None or by is None:
            return None
        return found, {**found.value.data, **by.value.data}
