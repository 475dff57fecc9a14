"""The results of one job as a list in time (the seed's SubmissionResult): looked at, or drained."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from gridsched.client.triggers import instant
from gridsched.clock import Clock
from gridsched.errors import InvalidSchedule
from gridsched.grid.port import LAST_INSTANT, Change
from gridsched.model.firing import Result
from gridsched.model.keys import job_of, trigger_of
from gridsched.stores.record import Record
from gridsched.stores.results import ResultStore

_BATCH: Final = 256
_RECENT: Final = (60_000, 3_600_000)
"""How far back (ms) the latest result is looked for before all are."""


class AsyncResults:
    """What the runs of a job, or of one trigger of it, returned.

    In the order of their scheduled instants, by which they are asked for too. What is given is a copy
    that nobody can change. A run that returned nothing, or failed, has no result: `firings` has it.
    """

    def __init__(self, key: str, store: ResultStore, clock: Clock, reader: str) -> None:
        self.key = key
        self._store = store
        self._clock = clock
        self._reader = reader
        self._given: set[str] = set()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.key}>"

    async def complete(self) -> tuple[Result, ...]:
        """All of them."""
        return await self._list(0, LAST_INSTANT)

    async def latest(self) -> Result | None:
        """The one of the latest scheduled instant; None where there is none."""
        now = self._clock.now()
        for low in (*(now - back for back in _RECENT), 0):
            found = await self._list(low, LAST_INSTANT)
            if found:
                return found[-1]
        return None

    async def oldest(self) -> Result | None:
        """The one of the oldest scheduled instant; None where there is none."""
        return next(iter(await self.complete()), None)

    async def between(self, low: datetime, high: datetime) -> tuple[Result, ...]:
        """Those from `low` on and before `high`. InvalidSchedule where these are naive, or the
        wrong way round."""
        first, end = instant(low, "low"), instant(high, "high")
        if first > end:
            raise InvalidSchedule(f"low ({low.isoformat()}) is after high ({high.isoformat()})")
        return await self._list(first, end - 1)

    async def from_(self, low: datetime) -> tuple[Result, ...]:
        """Those from `low` on."""
        return await self._list(instant(low, "low"), LAST_INSTANT)

    async def to(self, high: datetime) -> tuple[Result, ...]:
        """Those before `high`."""
        return await self._list(0, instant(high, "high") - 1)

    async def drain(self) -> tuple[Result, ...]:
        """Take all of them: each is given once, to one of those who drain, and is gone for whoever
        looks.

        Where the grid fails meanwhile (GridError), calling this again on the same object gives what
        was taken by then too.
        """
        found = self._of_key(await self._store.of_job(job_of(self.key)))
        taken = [each for each in found if each.value.drained_by == self._reader]
        left = [each for each in found if not each.value.drained_by]
        for start in range(0, len(left), _BATCH):
            batch = left[start : start + _BATCH]
            done = await self._store.apply([self._drained(each) for each in batch])
            taken += [each for each, mine in zip(batch, done, strict=True) if mine]
        new = [each for each in taken if each.key not in self._given]
        self._given = {each.key for each in taken}
        return tuple(sorted(map(_plain, new), key=lambda result: (result.scheduled, result.firing)))

    def _drained(self, record: Record[Result]) -> Change:
        """Its record stays a moment: a node whose call was lost must not store it again."""
        drained = replace(record.value, drained_by=self._reader, forget_at=self._clock.now())
        return self._store.replaced(record, drained)

    async def _list(self, low: int, high: int) -> tuple[Result, ...]:
        found = self._of_key(await self._store.of_job(job_of(self.key), low, high))
        return tuple(each.value for each in found if not each.value.drained_by)

    def _of_key(self, found: Iterable[Record[Result]]) -> list[Record[Result]]:
        of_job = ":" not in self.key
        return [each for each in found if of_job or trigger_of(each.key) == self.key]


def _plain(record: Record[Result]) -> Result:
    return replace(record.value, drained_by="")
