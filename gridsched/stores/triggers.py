"""Trigger-Store: the triggers, by trigger key, beside their jobs. Polled by `due`."""

from __future__ import annotations

from collections.abc import Iterable

from gridsched.grid.port import LAST_INSTANT, Between, Equal, IndexSpec
from gridsched.model.trigger import Trigger
from gridsched.stores.record import Record, Store


class TriggerStore(Store[Trigger]):
    type = Trigger
    indexes = (
        IndexSpec("due", "SORTED"),
        IndexSpec("finished_at", "SORTED"),
        IndexSpec("group", "HASH"),
        IndexSpec("state", "HASH"),
        IndexSpec("job", "HASH"),
        IndexSpec("calendar", "HASH"),
    )

    def key_of(self, value: Trigger) -> str:
        return value.key

    async def due(self, until: int, partitions: Iterable[int]) -> list[Record[Trigger]]:
        """The triggers that somebody must look at by `until` (epoch ms)."""
        return await self.find([Between("due", 0, until)], partitions)

    async def finished(self, until: int, partitions: Iterable[int]) -> list[Record[Trigger]]:
        """The triggers that fired for the last time by `until` (epoch ms)."""
        return await self.find([Between("finished_at", 0, until)], partitions)

    async def moved(self, since: int, partitions: Iterable[int]) -> list[Record[Trigger]]:
        """The triggers whose last instant is not before `since` (epoch ms)."""
        return await self.find([Between("previous_fire", since, LAST_INSTANT)], partitions)

    async def of_older_tzdata(
        self, edition: int, partitions: Iterable[int]
    ) -> list[Record[Trigger]]:
        """The triggers whose next fire was computed by time zone data older than an edition."""
        return await self.find([Between("tzdata", 1, edition - 1)], partitions)

    async def of_job(self, job: str, partition: int) -> list[Record[Trigger]]:
        return await self.find([Equal("job", job)], [partition])
