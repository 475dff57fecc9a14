"""Job-Result: what the runs of firings returned, by firing key."""

from __future__ import annotations

from collections.abc import Iterable

from gridsched.grid.data import partition_of
from gridsched.grid.port import LAST_INSTANT, Between, Equal, IndexSpec
from gridsched.model.firing import Result
from gridsched.stores.record import Record, Store


class ResultStore(Store[Result]):
    type = Result
    indexes = (IndexSpec("forget_at", "SORTED"), IndexSpec("job", "HASH"))

    def key_of(self, value: Result) -> str:
        return value.firing

    async def of_job(
        self, job: str, low: int = 0, high: int = LAST_INSTANT
    ) -> list[Record[Result]]:
        """The results of a job from `low` to `high`, both scheduled instants and inclusive, in
        their order; those that were drained too."""
        partition = partition_of(self.data_key(job))
        found = await self.find([Equal("job", job), Between("scheduled", low, high)], [partition])
        return sorted(found, key=lambda record: (record.value.scheduled, record.key))

    async def forget(self, until: int, partitions: Iterable[int]) -> None:
        """Remove the results that were to go by `until` (epoch ms)."""
        await self.map.remove_all([Between("forget_at", 0, until)], partitions)
