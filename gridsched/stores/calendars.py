"""Calendar-Store: the calendars, by name. A value is wrapped: a calendar does not know its name."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gridsched.model.calendar import Calendar
from gridsched.model.keys import encode_name
from gridsched.stores.record import Record, Store


class NamedCalendar(msgspec.Struct, frozen=True):
    """A calendar as it is stored."""

    name: str
    calendar: Calendar


class CalendarStore(Store[NamedCalendar]):
    type = NamedCalendar

    def key_of(self, value: NamedCalendar) -> str:
        return encode_name(value.name)

    async def named(self, name: str) -> Record[NamedCalendar] | None:
        return await self.get(encode_name(name))

    async def with_bases(self, names: Iterable[str]) -> dict[str, Calendar]:
        """The calendars of these names with all their bases, as far as they exist; one call for
        each step of the longest chain."""
        found: dict[str, Calendar] = {}
        wanted = set(names)
        while wanted:
            records = await self.get_all(encode_name(name) for name in wanted)
            level = {record.value.name: record.value.calendar for record in records.values()}
            found.update(level)
            wanted = {calendar.base for calendar in level.values() if calendar.base} - set(found)
        return found
