"""The self-check: each node goes through the records of its partitions, a few at a time.

What looks odd may be half way through a step of another node, so it is looked at again a lease later.
Where it stands there unchanged, it is mended if it can be, or shown in the node's Membership record until
somebody has; both are logged. A job that should have gone with its last trigger goes, as by retention.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence, Set
from typing import Any, Final, NamedTuple

from gridsched.grid.data import partition_of
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.model.trigger import Trigger
from gridsched.node.core import Core
from gridsched.node.membership import Membership
from gridsched.node.retention import Retention
from gridsched.node.service import Service
from gridsched.policy.self_check import Oddity, is_left_over, odd_firing, odd_trigger
from gridsched.stores.record import Record, Store

ROUND: Final = 16
"""Leases in which a node goes through all of its partitions."""

SHOWN: Final = 5
"""Records that a Membership record names at most."""


class _Suspect(NamedTuple):
    store: Store[Any]
    record: Record[Any]


class SelfCheck(Service):
    """Finds the records of owned partitions that no law explains."""

    def __init__(self, core: Core, membership: Membership, retention: Retention) -> None:
        super().__init__("self-check")
        self._caches = core.caches
        self._clock = core.clock
        self._lease = core.lease
        self._counters = core.counters
        self._membership = membership
        self._retention = retention
        self._looked = 0
        self._suspects: list[_Suspect] = []
        self._unexplained: dict[str, _Suspect] = {}

    @property
    def unexplained(self) -> tuple[str, ...]:
        """The keys of records that nobody has mended yet; not all where they are many."""
        return tuple(sorted(self._unexplained)[:SHOWN])

    async def step(self) -> None:
        await self.rest(self._lease / 1000)
        suspects, self._suspects = [*self._suspects, *self._unexplained.values()], []
        for suspect in suspects:
            await self._look_again(suspect)
        if part := self._next_part(self._membership.owned()):
            await self._look(part)

    def _next_part(self, owned: Sequence[int]) -> list[int]:
        self._looked += 1
        return [partition for partition in owned if partition % ROUND == self._looked % ROUND]

    async def _look(self, part: Sequence[int]) -> None:
        firings = await self._caches.firings.unfinished_by_state(part)
        running = {record.value.job for record in firings}
        firings += await self._caches.firings.due(self._clock.now(), part)
        self._suspects += [
            _Suspect(self._caches.firings, record)
            for record in firings
            if odd_firing(record.value, self._clock.now(), self._lease)
        ]
        for partition in part:
            await self._look_at_jobs(partition, running)
            await asyncio.sleep(0)

    async def _look_at_jobs(self, partition: int, running: Set[str]) -> None:
        """At jobs and triggers; `running` are the jobs with a firing that is not final."""
        now, caches = self._clock.now(), self._caches
        jobs = {record.key: record for record in await caches.jobs.find([], [partition])}
        triggers = await caches.triggers.find([], [partition])
        used = running | {record.value.job for record in triggers}
        self._suspects += [
            *(
                _Suspect(caches.jobs, record)
                for key, record in jobs.items()
                if is_left_over(record.value, now, self._lease, used=key in used)
            ),
            *(
                _Suspect(caches.triggers, record)
                for record in triggers
                if odd_trigger(record.value, job_there=record.value.job in jobs)
            ),
        ]

    async def _look_again(self, suspect: _Suspect) -> None:
        store, before = suspect
        known = self._unexplained.pop(before.key, None)
        there = await store.get(before.key)
        if there is None or there.raw != before.raw:
            return
        if isinstance(there.value, Job):
            await self._retention.remove_left_over(there.key, partition_of(there.data_key))
            return
        odd = await self._odd(there.value)
        if odd is None:
            return
        if odd.mended is None:
            self._unexplained[there.key] = suspect
            if known is None:
                self.log.error("%s: %s: no law explains it", there.key, odd.problem)
        elif await store.replace(there, odd.mended):
            self._counters.mended += 1
            self.log.error("%s: %s: mended", there.key, odd.problem)

    async def _odd(self, value: Trigger | Firing) -> Oddity[Any] | None:
        if isinstance(value, Firing):
            return odd_firing(value, self._clock.now(), self._lease)
        job = await self._caches.jobs.get(value.job)
        return odd_trigger(value, job_there=job is not None)
