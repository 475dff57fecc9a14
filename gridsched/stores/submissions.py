"""Job-Submission: the commands that clients give, each beside the job it is about."""

from __future__ import annotations

from collections.abc import Iterable

from gridsched.grid.port import Between, Equal, IndexSpec
from gridsched.model.submission import Submission
from gridsched.stores.record import Record, Store


class SubmissionStore(Store[Submission]):
    """Written keys are `job-key:submission/id`."""

    type = Submission
    indexes = (IndexSpec("state", "HASH"), IndexSpec("forget_at", "SORTED"))

    def key_of(self, value: Submission) -> str:
        return f"{value.job}:submission/{value.id}"

    async def unanswered(self, partitions: Iterable[int]) -> list[Record[Submission]]:
        return await self.find([Equal("state", "NEW")], partitions)

    async def forget(self, now: int, partitions: Iterable[int]) -> None:
        """Remove the answers that were to go by `now` (epoch ms)."""
        await self.map.remove_all([Between("forget_at", 0, now)], partitions)
