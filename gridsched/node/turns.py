"""Turns: which of the runs that wait for another one of their job starts next.

Asked by the sweep of the partition's owner at every poll, so one node decides, and again if it dies
half way.
"""

from __future__ import annotations

from collections.abc import Iterable

from gridsched.model.firing import Firing
from gridsched.node.core import Core
from gridsched.node.locks import JobLocks
from gridsched.policy import transitions
from gridsched.policy.overlap import turn
from gridsched.policy.submissions import cancel_unfinished
from gridsched.stores.record import Record


class Turns:
    """Gives waiting runs their turn, skips those that are too many, cancels the one in their way."""

    def __init__(self, core: Core, locks: JobLocks) -> None:
        self._firings = core.caches.firings
        self._clock = core.clock
        self._locks = locks

    async def choose(self, waiting: Iterable[Record[Firing]]) -> list[Record[Firing]]:
        """Those that start now: they hold their job's lock."""
        by_job: dict[str, dict[str, Record[Firing]]] = {}
        for record in waiting:
            by_job.setdefault(record.value.job, {})[record.key] = record
        chosen = [await self._of_job(job, records) for job, records in by_job.items()]
        return [record for record in chosen if record is not None]

    async def _of_job(self, job: str, waiting: dict[str, Record[Firing]]) -> Record[Firing] | None:
        holder = await self._locks.holder(job)
        if holder is not None and holder.key in waiting:  # a node died before it had sent it
            return waiting[holder.key]
        now = self._clock.now()
        decided = turn(
            (record.value for record in waiting.values()), None if holder is None else holder.value
        )
        await self._firings.apply(
            [
                self._firings.replaced(
                    waiting[firing.key], transitions.leave_out(firing, now, reason)
                )
                for firing, reason in decided.skipped
            ]
        )
        if decided.cancels and holder is not None:
            await self._locks.step(
                holder, lambda firing: cancel_unfinished(firing, "overlap: superseded", now)
            )
        if decided.next is None or not await self._locks.take(job, decided.next):
            return None
        return waiting[decided.next.key]
