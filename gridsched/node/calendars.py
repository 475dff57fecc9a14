"""Applying commands about calendars, and taking the triggers that use one along."""

from __future__ import annotations

from gridsched.errors import InvalidSchedule, NotFound
from gridsched.grid.port import Equal
from gridsched.model.calendar import Calendar
from gridsched.model.submission import DeleteCalendar, StoreCalendar
from gridsched.model.trigger import Trigger
from gridsched.node.core import Core
from gridsched.node.long_work import each
from gridsched.policy import submissions as policy
from gridsched.policy.calendar_checks import check_calendar
from gridsched.policy.calendars import ResolvedCalendar, resolve
from gridsched.stores.calendars import NamedCalendar
from gridsched.stores.record import Record, change


class Calendars:
    """Stores and deletes calendars; what cannot be done is raised as the reason."""

    def __init__(self, core: Core) -> None:
        self._caches = core.caches
        self._clock = core.clock
        self._look_ahead = core.settings.look_ahead_ms

    async def store(self, command: StoreCalendar) -> list[Record[Trigger]]:
        """Store a calendar; the triggers whose next fire it moved."""
        check_calendar(command.calendar)
        there = await self._caches.calendars.named(command.name)
        if there is not None and command.unique:
            return []
        if there is not None and there.value.calendar != command.calendar and not command.override:
            raise InvalidSchedule(
                f"there is a calendar {command.name!r} already; say override to replace it"
            )
        await self._resolved(command.name, command.calendar)
        if there is None or there.value.calendar != command.calendar:
            value = NamedCalendar(command.name, command.calendar, self._clock.now())
            await self._caches.calendars.map.put(*self._caches.calendars.written(value)[1::2])
        moved: list[Record[Trigger]] = []
        for name in await self._dependents(command.name):
            moved += await self._recompute(name)
        return moved

    async def delete(self, command: DeleteCalendar) -> None:
        """Delete a calendar that nothing uses. One that is gone already is no error."""
        await self._check_unused(command.name)
        others = [name for name in await self._dependents(command.name) if name != command.name]
        if others:
            raise InvalidSchedule(
                f"calendar {command.name!r} is the base of {', '.join(map(repr, others))}"
            )
        record = await self._caches.calendars.named(command.name)
        if record is not None:
            await self._caches.calendars.map.remove(record.data_key)
            try:
                await self._check_unused(command.name)
            except InvalidSchedule:  # a trigger has come meanwhile
                await self._caches.calendars.create(record.value)
                raise

    async def _check_unused(self, name: str) -> None:
        users = await self._caches.triggers.find([Equal("calendar", name)])
        if users:
            raise InvalidSchedule(
                f"calendar {name!r} is used by {len(users)} trigger(s), {users[0].key} among them"
            )

    async def _resolved(self, name: str, calendar: Calendar) -> ResolvedCalendar:
        """The calendar with its bases as stored; InvalidSchedule where the chain breaks."""
        bases = await self._caches.calendars.with_bases([calendar.base] if calendar.base else [])
        return resolve(name, {**bases, name: calendar})

    async def _dependents(self, name: str) -> list[str]:
        """The calendar of that name and those that chain to it."""
        records = await self._caches.calendars.find()
        by_name = {record.value.name: record.value.calendar for record in records}
        found = [name]
        for base in found:
            found += [n for n, c in by_name.items() if c.base == base and n not in found]
        return found

    async def _recompute(self, name: str) -> list[Record[Trigger]]:
        by_name = await self._caches.calendars.with_bases([name])
        if name not in by_name:
            raise NotFound(f"there is no calendar {name!r}")
        resolved = resolve(name, by_name)
        now = self._clock.now()
        claimed_until = now + self._look_ahead
        moved: list[Record[Trigger]] = []
        found = await self._caches.triggers.find([Equal("calendar", name)])

        async def recompute(record: Record[Trigger]) -> None:
            changed = await change(
                self._caches.triggers,
                record,
                lambda trigger: policy.recomputed(trigger, resolved, now, claimed_until),
            )
            if changed is not None and changed.raw != record.raw:
                moved.append(changed)

        await each(found, recompute)
        return moved
