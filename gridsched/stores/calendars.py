"""Calendar-Store: the calendars, by name. A value is wrapped: a calendar does not know its name."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gridsched.model.calendar import Calendar
from gridsched.model.keys import encode_name
from gridsched.stores.record import Record, Store


class NamedCalendar(msgspec.Struct, frozen=True):
    """A calendar as it is stored; `stored_at` (epoch ms) is when it last changed."""

    name: str
    calendar: Calendar
    stored_at: int = 0


class CalendarStore(Store[NamedCalendar]):
    type = NamedCalendar

    def key_of(self, value: NamedCalendar) -> str:
        return encode_name(value.name)

    async def named(self, name: str) -> Record[NamedCalendar] | None:
        return await self.get(encode_name(name))

    async def with_bases(self, names: Iterable[str]) -> dict[str, Calendar]:
        """The calendars of these names with all their bases, as far as they exist; one call for
        each step of the longest chain."""
        return {name: named.calendar for name, named in (await self.chains(names)).items()}

    async def chains(self, names: Iterable[str]) -> dict[str, NamedCalendar]:
        """As `with_bases`, as they are stored."""
        found: dict[str, NamedCalendar] = {}
        wanted = set(names)
        while wanted:
            records = await self.get_all(encode_name(name) for name in wanted)
            level = {record.value.name: record.value for record in records.values()}
            found.update(level)
            bases = {named.calendar.base for named in level.values()}
            wanted = {base for base in bases if base} - set(found)
        return found
