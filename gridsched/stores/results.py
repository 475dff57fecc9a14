"""Job-Result: what the runs of firings returned, by firing key."""

from __future__ import annotations

from collections.abc import Iterable

from gridsched.grid.port import Between, IndexSpec
from gridsched.model.firing import Result
from gridsched.stores.record import Store


class ResultStore(Store[Result]):
    type = Result
    indexes = (IndexSpec("forget_at", "SORTED"), IndexSpec("job", "HASH"))

    def key_of(self, value: Result) -> str:
        return value.firing

    async def forget(self, until: int, partitions: Iterable[int]) -> None:
        """Remove the results that were to go by `until` (epoch ms)."""
        await self.map.remove_all([Between("forget_at", 0, until)], partitions)
