"""What a client sees of the cluster: its records, judged and explained; its members."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, TypeVar

import msgspec

from gridsched.client.audit import Auditor
from gridsched.client.explain import scene_of
from gridsched.client.results import AsyncResults
from gridsched.client.triggers import instant
from gridsched.clock import Clock, Ids
from gridsched.errors import InvalidKey, NotFound
from gridsched.grid.data import partition_of
from gridsched.grid.port import LAST_INSTANT, Between, Condition, Equal, Grid, GridMember
from gridsched.model.calendar import Calendar
from gridsched.model.firing import Firing, Result
from gridsched.model.groups import GroupKind, GroupRule, PausedGroups
from gridsched.model.job import Job
from gridsched.model.keys import job_of, parse_key
from gridsched.model.member import Member
from gridsched.model.trigger import Trigger
from gridsched.policy.audit import Audited
from gridsched.policy.explain import explain
from gridsched.policy.explanation import Sentence
from gridsched.policy.gate import keepers
from gridsched.policy.groups import check_group, is_of
from gridsched.policy.ownership import assign
from gridsched.stores.caches import Caches
from gridsched.stores.record import Record, Store

KeyKind = Literal["job", "trigger", "firing"]

_FORMS: Final = {
    "job": "written group/name",
    "trigger": "its job's with : and group/name",
    "firing": "a trigger's with @ and an instant",
}

V = TypeVar("V", bound=msgspec.Struct)


class Looking:
    """What `AsyncScheduler` asks without giving a command; of keys see there."""

    def __init__(self, grid: Grid, caches: Caches, clock: Clock, ids: Ids) -> None:
        self.grid = grid
        self.caches = caches
        self._clock = clock
        self._ids = ids

    async def paused_groups(self) -> PausedGroups:
        """What is paused by group, as it was asked for; of the rules that match a group the last
        one counts."""
        return await self.caches.groups.paused()

    async def calendar(self, name: str) -> Calendar:
        """The calendar of that name; NotFound where there is none."""
        record = await self.caches.calendars.named(name)
        if record is None:
            raise NotFound(f"there is no calendar {name!r}")
        return record.value.calendar

    async def calendars(self) -> dict[str, Calendar]:
        """The calendars, by name."""
        found = await self.caches.calendars.find()
        values = sorted((record.value for record in found), key=lambda value: value.name)
        return {value.name: value.calendar for value in values}

    async def job(self, key: str) -> Job:
        """The job of that key; NotFound where there is none."""
        record = await self.caches.jobs.get(key) if _kind(key) == "job" else None
        if record is None:
            raise not_found("job", key)
        return record.value

    async def trigger(self, key: str) -> Trigger:
        """The trigger of that key; NotFound where there is none."""
        record = await self.caches.triggers.get(key) if _kind(key) == "trigger" else None
        if record is None:
            raise not_found("trigger", key)
        return record.value

    async def firing(self, key: str) -> Firing:
        """The firing of that key; NotFound where there is none (any more)."""
        record = await self.caches.firings.get(key) if _kind(key) == "firing" else None
        if record is None:
            raise not_found("firing", key)
        return record.value

    async def jobs(self, *, group: str | None = None) -> list[Job]:
        """The jobs, by key."""
        found = await self._find(self.caches.jobs, None, group=group)
        return sorted(found, key=lambda job: job.key)

    async def triggers(self, *, job: str | None = None, state: str | None = None) -> list[Trigger]:
        """The triggers, by key; of one job, or in one state. InvalidKey where `job` is no job's."""
        _check_is(job, "job")
        found = await self._find(self.caches.triggers, job, job=job, state=state)
        return sorted(found, key=lambda trigger: trigger.key)

    async def firings(
        self,
        *,
        of: str | None = None,
        state: str | None = None,
        node: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> list[Firing]:
        """The firings on record, by scheduled instant: `of` a job or trigger, in one state, sent to or
        run on a node, scheduled from `start` to `end` (aware, both included); of all that is given.
        InvalidKey where `of` is neither a job's nor a trigger's; InvalidSchedule for a naive time."""
        _check_is(of, "job", "trigger")
        job = None if of is None else job_of(of)
        trigger = of if of is not None and ":" in of else None
        # The grid looks at the values of a job, of a node or of all, and sends only what fits.
        where = _equal(job=job, trigger=trigger, state=state, member=node)
        where += _scheduled(start, end)
        found = await self.caches.firings.find(where, self._partitions(of))
        firings = (record.value for record in found)
        return sorted(firings, key=lambda firing: (firing.scheduled, firing.trigger))

    async def audit(
        self, key: str | None = None, *, group: str | None = None, of: GroupKind = "triggers"
    ) -> list[Audited]:
        """Judge the records of triggers against what their schedules name (see docs/ledger.md): of
        the trigger of that key, of all triggers of the job of that key, of those whose group (with
        `of="jobs"`: whose job's group) matches a glob, or of all. NotFound where there is no such
        key."""
        found = await self._triggers_of(key)
        if group is not None:
            check_group(group, of)
            rule = GroupRule(group, of)
            found = [record for record in found if is_of(rule, record.value)]
        return await Auditor(self.caches, self._clock).audit(found)

    async def results(self, *, job: str | None = None) -> list[Result]:
        """What runs returned, the earliest first; of one job. InvalidKey where `job` is no job's."""
        _check_is(job, "job")
        found = await self._find(self.caches.results, job, job=job)
        there = (result for result in found if not result.drained_by)
        return sorted(there, key=lambda result: result.finished_at)

    async def result(self, firing: str) -> Result:
        """What the run of that firing returned; NotFound where there is nothing (any more)."""
        if _kind(firing) != "firing":
            raise not_found("firing", firing)
        record = await self.caches.results.get(firing)
        if record is None or record.value.drained_by:
            raise NotFound(f"there is no result of {firing}")
        return record.value

    def results_of(self, key: str) -> AsyncResults:
        """The results of the job or trigger of that key, as one list in time; of one that is gone
        too. InvalidKey where it is no such key."""
        if parse_key(key).scheduled is not None:
            raise InvalidKey(f"{key} is the key of a firing, which has one result: see result()")
        return AsyncResults(key, self.caches.results, self._clock, self._ids())

    async def explain(self, key: str) -> tuple[Sentence, ...]:
        """Why the trigger, or the instant, of that key fired, did not, or was late: in sentences. An
        instant (a trigger's key with @ and epoch ms) needs no record. NotFound where there is no such
        trigger and no record of it."""
        members = await self.members()
        scene = await scene_of(key, self.caches, self._clock, members, await self.owners())
        return explain(scene)

    async def members(self) -> list[Member]:
        """The scheduler's nodes, by name."""
        found = await self.caches.membership.find()
        return sorted((record.value for record in found), key=lambda member: member.name)

    async def member(self, name: str) -> Member:
        """The node of that name; NotFound where there is none."""
        record = await self.caches.membership.get(name)
        if record is None:
            raise NotFound(f"there is no member {name}")
        return record.value

    async def owners(self) -> list[str | None]:
        """The node that looks after each partition, by partition id; None where none is active."""
        active = [member for member in await self.members() if member.state == "ACTIVE"]
        nodes = {member.name: member.beside for member in keepers(active, len(active))}
        grid_members = self.grid.partition_owners()
        return [assign(partition, held_by, nodes) for partition, held_by in enumerate(grid_members)]

    def grid_members(self) -> Sequence[GridMember]:
        """The members of the grid."""
        return self.grid.members()

    async def _require(self, key: str) -> None:
        """NotFound where the key names neither a job nor a trigger that is there."""
        await (self.job(key) if parse_key(key).trigger_name is None else self.trigger(key))

    async def _find(self, store: Store[V], key: str | None, **wanted: str | None) -> list[V]:
        """The values whose fields are as wanted (None: anything); with `key` only of its job."""
        found = await store.find(_equal(**wanted), self._partitions(key))
        return [record.value for record in found]

    async def _triggers_of(self, key: str | None) -> list[Record[Trigger]]:
        """The trigger of that key, those of the job of that key, or all; by key."""
        triggers = self.caches.triggers
        if key is None:
            return sorted(await triggers.find(), key=lambda record: record.key)
        await self._require(key)
        found = await triggers.find([Equal("job", job_of(key))], self._partitions(key))
        wanted = [record for record in found if key in (record.key, record.value.job)]
        return sorted(wanted, key=lambda record: record.key)

    def _partitions(self, key: str | None) -> list[int] | None:
        return None if key is None else [partition_of(self.caches.jobs.data_key(job_of(key)))]


def _equal(**wanted: str | None) -> list[Condition]:
    """That fields are as wanted (None: anything)."""
    return [Equal(name, value) for name, value in wanted.items() if value is not None]


def _scheduled(start: datetime | None, end: datetime | None) -> list[Condition]:
    if start is None and end is None:
        return []
    low = 0 if start is None else instant(start, "start")
    high = LAST_INSTANT if end is None else instant(end, "end")
    return [Between("scheduled", low, high)]


def _kind(key: str) -> KeyKind:
    """What a written key is of; InvalidKey where it is not written as one."""
    parts = parse_key(key)
    if parts.trigger_name is None:
        return "job"
    return "trigger" if parts.scheduled is None else "firing"


def _check_is(key: str | None, *kinds: KeyKind) -> None:
    """InvalidKey where a key is given, and is of nothing of that kind."""
    if key is not None and (kind := _kind(key)) not in kinds:
        raise InvalidKey(f"{key} is the key of a {kind}, not of a {' or a '.join(kinds)}")


def not_found(kind: KeyKind, key: str) -> NotFound:
    """The error of a key that nothing of that kind has; it says how such a key is written where this
    is one of another kind."""
    hint = f": its key is {_FORMS[kind]}" if _kind(key) != kind else ""
    return NotFound(f"there is no {kind} {key}{hint}")
