"""Triggers that were computed by older time zone data than this node has.

Governments change their clocks, and an upgrade of the package tzdata brings the new rules. Then an
instant that was accepted may be another one; it is moved, and the log says from where to where.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from gridsched.errors import InvalidSchedule, NotFound
from gridsched.model.trigger import Trigger
from gridsched.node.core import Core
from gridsched.node.long_work import each
from gridsched.policy import localtime
from gridsched.policy.ownership import slices
from gridsched.policy.submissions import calendar_of, recomputed
from gridsched.stores.record import Record, change

SLICE: Final = 32
"""Partitions asked in one query."""

_log = logging.getLogger("gridsched.zones")


class Zones:
    """Brings the triggers of owned partitions up to the time zone data of this node.

    While nodes with different data are active, a trigger computed by newer data than theirs stays as
    it is until it fires: nothing is moved back and forth.
    """

    def __init__(self, core: Core) -> None:
        self._caches = core.caches
        self._clock = core.clock
        self._looked: frozenset[int] = frozenset()

    async def look(self, owned: Sequence[int]) -> None:
        """Look at the partitions that have come to this node since the last look."""
        new = [partition for partition in owned if partition not in self._looked]
        for part in slices(new, SLICE):
            found = await self._caches.triggers.of_older_tzdata(localtime.EDITION, part)
            await each(found, self._recompute)
        self._looked = frozenset(owned)

    async def _recompute(self, record: Record[Trigger]) -> None:
        name = record.value.calendar
        calendars = await self._caches.calendars.with_bases([name] if name else [])
        now = self._clock.now()
        try:
            calendar = calendar_of(record.value, calendars)
            changed = await change(
                self._caches.triggers, record, lambda trigger: recomputed(trigger, calendar, now)
            )
        except (NotFound, InvalidSchedule):
            return  # The claimer says so, when the trigger is due.
        if changed is not None and changed.value.next_fire != record.value.next_fire:
            _log.warning(
                "trigger %s: its next fire was %s by time zone data %s, and is %s by %s",
                record.key,
                _in_utc(record.value.next_fire),
                localtime.edition_name(record.value.tzdata),
                _in_utc(changed.value.next_fire),
                localtime.edition_name(localtime.EDITION),
            )


def _in_utc(instant: int | None) -> str:
    if instant is None:
        return "never"
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat(timespec="seconds")
