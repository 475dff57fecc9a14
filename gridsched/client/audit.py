"""Reading triggers with their records for the audit, from a cluster that goes on meanwhile.

A trigger is read before its records. A record is made before its trigger moves on, so whatever the
trigger has gone past must be among them. Where something seems missing all the same, it is read again,
until the trigger has stood still around the reading.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from gridsched.clock import Clock
from gridsched.errors import GridschedError
from gridsched.grid.data import partition_of
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.model.member import LedgerRules
from gridsched.model.trigger import Trigger
from gridsched.policy.acquire import retention
from gridsched.policy.audit import Audited, Seen, Tally, audit, common_rules
from gridsched.policy.calendars import resolve
from gridsched.stores.caches import Caches
from gridsched.stores.calendars import NamedCalendar
from gridsched.stores.record import Record

TRIES: Final = 5
"""How often a trigger is read again whose records seem not to account for it."""

ONE_BY_ONE: Final = 20
"""Jobs whose records are asked for one by one; those of more are read all at once."""


class _Context(NamedTuple):
    """What all triggers are judged by."""

    rules: LedgerRules
    jobs: Mapping[str, Record[Job]]
    calendars: Mapping[str, NamedCalendar]


class Auditor:
    """Audits triggers of one cluster."""

    def __init__(self, caches: Caches, clock: Clock) -> None:
        self._caches = caches
        self._clock = clock

    async def audit(self, found: Sequence[Record[Trigger]]) -> list[Audited]:
        """What the records of these triggers account for; those that are gone meanwhile left out."""
        records = await self._records({record.value.job for record in found})
        context = await self._context(found)
        audits: list[Audited | None] = []
        for record in found:
            audited = self._judge(record.value, records[record.key], context)
            audits.append(await self._again(record.key) if audited.unaccounted else audited)
        return [audited for audited in audits if audited is not None]

    async def _records(self, jobs: set[str]) -> defaultdict[str, list[Firing]]:
        """The records of these jobs (or of more), by trigger."""
        firings = self._caches.firings
        if len(jobs) > ONE_BY_ONE:
            found = await firings.find()
        else:
            found = [record for job in sorted(jobs) for record in await firings.of_job(job)]
        by_trigger: defaultdict[str, list[Firing]] = defaultdict(list)
        for record in found:
            by_trigger[record.value.trigger].append(record.value)
        return by_trigger

    async def _context(self, found: Iterable[Record[Trigger]]) -> _Context:
        triggers = [record.value for record in found]
        members = [record.value for record in await self._caches.membership.find()]
        return _Context(
            common_rules(members),
            await self._caches.jobs.get_all({trigger.job for trigger in triggers}),
            await self._caches.calendars.chains(t.calendar for t in triggers if t.calendar),
        )

    async def _again(self, key: str) -> Audited | None:
        """The audit of a trigger that stood still while it was read; None where it is gone."""
        for _ in range(TRIES):
            before = await self._caches.triggers.get(key)
            if before is None:
                return None
            partition = partition_of(before.data_key)
            firings = await self._caches.firings.of_trigger(key, partition)
            context = await self._context([before])
            audited = self._judge(before.value, [record.value for record in firings], context)
            after = await self._caches.triggers.get(key)
            if not audited.unaccounted or (after is not None and after.raw == before.raw):
                return audited
        note = f"not judged: it moved on each of the {TRIES} times that it was read"
        return replace(audited, unaccounted=(), tally=Tally(), notes=(*audited.notes, note))

    def _judge(self, trigger: Trigger, firings: Sequence[Firing], context: _Context) -> Audited:
        job = context.jobs.get(trigger.job)
        by_name = {name: named.calendar for name, named in context.calendars.items()}
        try:
            calendar = resolve(trigger.calendar, by_name) if trigger.calendar else None
        except GridschedError as error:
            note = f"not judged: {error}"
            return Audited(
                trigger.key, self._clock.now(), whole=False, tally=Tally(), notes=(note,)
            )
        kept = context.rules.retention
        return audit(
            Seen(
                trigger,
                tuple(firings),
                self._clock.now(),
                context.rules,
                kept if job is None else retention(job.value, kept),
                calendar,
                changed_at(trigger.calendar, context.calendars),
            )
        )


def changed_at(name: str, calendars: Mapping[str, NamedCalendar]) -> int:
    """When the calendar of that name, or one of its bases, was last changed (epoch ms); 0: none is."""
    changed = 0
    while name:
        changed = max(changed, calendars[name].stored_at)
        name = calendars[name].calendar.base
    return changed
