"""Paused-Group: which groups of triggers and jobs are paused, in one record."""

from __future__ import annotations

from typing import Final

from gridsched.model.groups import PausedGroups
from gridsched.stores.record import Record, Store

KEY: Final = "paused"


class GroupStore(Store[PausedGroups]):
    type = PausedGroups

    def key_of(self, value: PausedGroups) -> str:
        return KEY

    async def there(self) -> Record[PausedGroups] | None:
        """The record; None before the first group is paused."""
        return await self.get(KEY)

    async def paused(self) -> PausedGroups:
        """What is paused now."""
        record = await self.there()
        return PausedGroups() if record is None else record.value
