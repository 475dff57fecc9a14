"""Firing-Store: one record for each scheduled instant that was claimed; its key is the fence.

What is final stays for its retention as the ledger of what happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from gridsched.grid.data import partition_of
from gridsched.grid.port import LAST_INSTANT, Between, Equal, IndexSpec
from gridsched.model.firing import UNFINISHED, Firing
from gridsched.model.keys import job_of
from gridsched.policy.transitions import is_unplaced
from gridsched.stores.record import Record, Store

_UNFINISHED: Final = Between("due", 0, LAST_INSTANT)
"""All that is not final has a `due`, and so has what still leaves data in its job."""


class FiringStore(Store[Firing]):
    type = Firing
    indexes = (
        IndexSpec("due", "SORTED"),
        IndexSpec("forget_at", "SORTED"),
        IndexSpec("member", "HASH"),
        IndexSpec("job", "HASH"),
        IndexSpec("state", "HASH"),
    )

    def key_of(self, value: Firing) -> str:
        return value.key

    async def due(self, until: int, partitions: Iterable[int]) -> list[Record[Firing]]:
        """The firings that somebody must look at by `until` (epoch ms)."""
        return await self.find([Between("due", 0, until)], partitions)

    async def of_trigger(self, trigger: str, partition: int) -> list[Record[Firing]]:
        return await self.find(
            [Equal("job", job_of(trigger)), Equal("trigger", trigger)], [partition]
        )

    async def waiting_for_turn(self, job: str, now: int) -> list[Record[Firing]]:
        """The firings of a job that wait until another run of it has ended."""
        partition = partition_of(self.data_key(job))
        found = await self.find([Between("due", 0, now), Equal("job", job)], [partition])
        return [record for record in found if record.value.in_turn]

    async def of_job(self, job: str) -> list[Record[Firing]]:
        return await self.find([Equal("job", job)], [partition_of(self.data_key(job))])

    async def unfinished_of_trigger(self, trigger: str, partition: int) -> list[Record[Firing]]:
        """What is still to run of a trigger, or runs. An hour of finished ones may stand beside it."""
        of_it = [Equal("job", job_of(trigger)), Equal("trigger", trigger)]
        return await self.find([*of_it, _UNFINISHED], [partition])

    async def unfinished_of_job(self, job: str) -> list[Record[Firing]]:
        """What is still to run of a job, or runs."""
        return await self.find([Equal("job", job), _UNFINISHED], [partition_of(self.data_key(job))])

    async def unfinished_of_member(
        self, member: str, partitions: Iterable[int]
    ) -> list[Record[Firing]]:
        """What was sent to or runs on a member."""
        return await self.find([Equal("member", member), _UNFINISHED], partitions)

    async def unfinished(self, partitions: Iterable[int]) -> list[Record[Firing]]:
        """What is still to run in these partitions, or runs."""
        return await self.find([_UNFINISHED], partitions)

    async def unfinished_by_state(self, partitions: Sequence[int]) -> list[Record[Firing]]:
        """Every firing that is not final, also one that should have a `due` and has none."""
        return [
            record
            for state in UNFINISHED
            for record in await self.find([Equal("state", state)], partitions)
        ]

    async def unplaced(self, partitions: Iterable[int]) -> list[Record[Firing]]:
        """What no node may run: its dispatcher policy leaves none."""
        found = await self.unfinished_of_member("", partitions)
        return [record for record in found if is_unplaced(record.value)]

    async def ended(self, trigger: str, until: int, partition: int) -> list[Record[Firing]]:
        """The firings of a trigger that were final by `until` (epoch ms)."""
        owner = [Equal("job", job_of(trigger)), Equal("trigger", trigger)]
        return await self.find([*owner, Between("finished_at", 0, until)], [partition])

    async def forget(self, until: int, partitions: Iterable[int]) -> None:
        """Remove what was to go by `until` (epoch ms)."""
        await self.map.remove_all([Between("forget_at", 0, until)], partitions)
