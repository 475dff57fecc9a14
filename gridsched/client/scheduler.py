"""The facade, async: what a client asks of the cluster. `gridsched.client.blocking` is the same
without `await`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, Self, TypeVar

import msgspec
from msgspec.structs import replace

from gridsched.client.audit import Auditor
from gridsched.client.explain import scene_of
from gridsched.client.handle import AsyncHandle
from gridsched.client.immediate import firing_of, immediate
from gridsched.client.outcome import AsyncOutcome
from gridsched.client.results import AsyncResults
from gridsched.client.session import AsyncSession
from gridsched.client.submitter import Submitter
from gridsched.client.triggers import instant
from gridsched.clock import Clock, Ids
from gridsched.errors import InvalidKey, NotFound
from gridsched.grid.data import partition_of
from gridsched.grid.port import Between, Condition, Equal, Grid, GridMember
from gridsched.model.calendar import Calendar
from gridsched.model.firing import Firing, Result
from gridsched.model.groups import GroupKind, GroupRule, PausedGroups
from gridsched.model.job import Job, Overlap, check_job, usual_name
from gridsched.model.keys import (
    calendar_key,
    groups_key,
    job_of,
    parse_key,
    trigger_key,
)
from gridsched.model.member import Member
from gridsched.model.submission import (
    Backfill,
    CancelFiring,
    Delete,
    DeleteCalendar,
    Discard,
    Fire,
    Pause,
    PauseGroup,
    Resume,
    ResumeGroup,
    ScheduleJob,
    StoreCalendar,
)
from gridsched.model.trigger import Trigger
from gridsched.policy.audit import Audited
from gridsched.policy.backfill import BACKFILL_GROUP, check_backfill
from gridsched.policy.calendar_checks import check_calendar
from gridsched.policy.checks import check_trigger
from gridsched.policy.event_checks import check_events
from gridsched.policy.explain import explain
from gridsched.policy.explanation import Sentence
from gridsched.policy.gate import keepers
from gridsched.policy.groups import EVERY, check_group, is_of
from gridsched.policy.ownership import assign
from gridsched.stores.caches import Caches
from gridsched.stores.record import Record, Store

Pair = tuple[Job, Trigger]
LAST_INSTANT: Final = 2**62
"""Later than any."""

V = TypeVar("V", bound=msgspec.Struct)


def _itself(outcome: AsyncOutcome) -> AsyncOutcome:
    return outcome


class AsyncScheduler:
    """A client of the cluster. Keys are written keys: `group/name` of a job, and with
    `:trigger-group/trigger-name` of a trigger. Any method may raise GridUnavailable."""

    def __init__(
        self, grid: Grid, caches: Caches, clock: Clock, ids: Ids, timeout: float, *, owned: bool
    ) -> None:
        self.grid = grid
        self.caches = caches
        self._clock = clock
        self._ids = ids
        self._owned = owned
        self._submitter = Submitter(caches.submissions, clock, ids, timeout)
        self._sessions: list[AsyncSession] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect, and close the sessions. What was accepted goes on without this client."""
        for session in self._sessions:
            await session.close()
        if self._owned:
            await self.grid.close()

    # Giving work

    async def schedule(self, job: Job | str, trigger: Trigger) -> Trigger:
        """Store the job with the trigger; those of their names are replaced.

        `job` may be the key of a stored job. A job without a name takes its function's, operation's
        or host's, a trigger without one its job's. Returns the trigger as the cluster accepted it.
        SubmissionRejected says why it was refused.
        """
        if isinstance(job, str):
            return await self._schedule_stored(job, trigger)
        return (await self.schedule_many([(job, trigger)]))[0]

    async def schedule_unique(self, job: Job, trigger: Trigger) -> Trigger:
        """As `schedule`, but a job and a trigger that are there already stay as they are (the
        seed's scheduleJobUnique). Returns the trigger that is there now."""
        pair = self._complete(job, trigger)
        await self._submit_pairs([pair], unique=True)
        return await self.trigger(pair[1].key)

    async def schedule_many(self, pairs: Iterable[Pair]) -> list[Trigger]:
        """Schedule thousands at once; returns their triggers, in order.

        Where some are refused, the others are scheduled and SubmissionRejected says why.
        """
        complete = [self._complete(job, trigger) for job, trigger in pairs]
        await self._submit_pairs(complete, unique=False)
        stored = await self.caches.triggers.get_all([trigger.key for _, trigger in complete])
        return [stored[t.key].value if t.key in stored else t for _, t in complete]

    async def add_job(self, job: Job) -> None:
        """Store a durable job without a trigger."""
        named = self._named(job)
        await self._submitter.submit([self._submitter.make(named.key, ScheduleJob(named))])

    async def submit(self, job: Job) -> AsyncHandle:
        """Run a job once, now. A job without a name gets a new one."""
        submission = immediate(job, self._submitter, self._ids)
        await self._submitter.submit([submission])
        return self.handle(firing_of(submission))

    async def fire(self, key: str, data: dict[str, Any] | None = None) -> AsyncHandle:
        """Fire a stored job now, once, with `data` over its own; given a trigger's key, with that
        trigger's data too."""
        await self._require(key)
        submission = self._submitter.make(key, Fire(key, data or {}))
        await self._submitter.submit([submission])
        return self.handle(firing_of(submission))

    def session(self, shown: Callable[[AsyncOutcome], Any] = _itself) -> AsyncSession:
        """A session for immediate work, and its outcomes. `shown` makes of an outcome what its
        listener is given."""
        session = AsyncSession(self.caches, self._clock, self._ids, self._submitter, shown)
        self._sessions = [each for each in self._sessions if not each.closed] + [session]
        return session

    async def backfill(
        self, key: str, start: datetime, end: datetime, *, overlap: Overlap | None = None
    ) -> Trigger:
        """Run every instant of a trigger's own schedule in a range of the past: from `start` up to
        `end`, that not included (aware datetimes). Each run has the scheduled time of then.

        `overlap` is the policy for these runs; by default they run one after the other, in order.
        Returns the trigger, in the group BACKFILL, that runs them: to look at, pause or delete.
        InvalidSchedule where the range is none; SubmissionRejected where it names no instant, or
        more than 5,000.
        """
        base = await self.trigger(key)
        command = Backfill(base.key, instant(start, "start"), instant(end, "end"), overlap)
        check_backfill(command, self._clock.now())
        submission = self._submitter.make(key, command)
        await self._submitter.submit([submission])
        return await self.trigger(trigger_key(submission.job, BACKFILL_GROUP, submission.id))

    def handle(self, firing: str) -> AsyncHandle:
        """A handle on the firing of that key, whether it exists yet or not."""
        return AsyncHandle(firing, self.caches, self._clock, self.cancel)

    # Changing what is there

    async def pause(self, key: str) -> None:
        """Pause a trigger, or all of a job's: nothing of it starts from now on until it is resumed.
        What runs goes on. NotFound where there is no such key."""
        await self._require(key)
        await self._submitter.submit([self._submitter.make(key, Pause(key))])

    async def resume(self, key: str) -> None:
        """Resume a trigger, or all of a job's; what it missed meets its misfire policy."""
        await self._require(key)
        await self._submitter.submit([self._submitter.make(key, Resume(key))])

    async def pause_group(self, pattern: str, *, of: GroupKind = "triggers") -> None:
        """Pause the triggers whose group, or with `of="jobs"` whose job's group, matches a glob
        (`shop`, `shop*`, `*`): nothing of them starts from now on until they are resumed, and what
        is added to such a group meanwhile starts paused. InvalidKey where nothing could match."""
        await self._change_group(pattern, of, PauseGroup(pattern, of))

    async def resume_group(self, pattern: str, *, of: GroupKind = "triggers") -> None:
        """Resume the triggers whose group, or whose job's group, matches a glob, but for those that
        are paused by the other of the two; what they missed meets their misfire policies."""
        await self._change_group(pattern, of, ResumeGroup(pattern, of))

    async def pause_all(self) -> None:
        """Pause every trigger, also those to come, until `resume_all`."""
        await self.pause_group(EVERY)

    async def resume_all(self) -> None:
        """Resume every trigger; no group is paused any more."""
        await self.resume_group(EVERY, of="jobs")
        await self.resume_group(EVERY)

    async def unschedule(self, key: str) -> None:
        """Delete a trigger; a job that is not durable goes with its last one."""
        if parse_key(key).trigger_name is None:
            raise NotFound(f"{key} is a job, not a trigger: delete() removes a job")
        await self.delete(key)

    async def delete(self, key: str) -> None:
        """Delete a job with its triggers, or one trigger. What has not started is cancelled."""
        await self._require(key)
        await self._submitter.submit([self._submitter.make(key, Delete(key))])

    async def cancel(self, key: str) -> None:
        """Cancel a firing that has not ended, or the next one of a trigger before it is claimed.

        A run is ended within a second: a process is killed, a coroutine cancelled; a thread is told
        by `context.cancelled`, and no longer waited for. SubmissionRejected where it has ended.
        """
        _check_firing(key)
        await self._submitter.submit([self._submitter.make(key, CancelFiring(key))])

    async def discard(self, key: str) -> None:
        """Remove the records of a firing: what has not ended is cancelled first. It is gone within
        two minutes, and its result at once. SubmissionRejected where there is nothing of it."""
        _check_firing(key)
        await self._submitter.submit([self._submitter.make(key, Discard(key))])

    async def store_calendar(
        self, name: str, calendar: Calendar, *, override: bool = False
    ) -> None:
        """Store a calendar under a name that triggers give as theirs.

        One that is there already is replaced only with `override`; then the next fires of the
        triggers that use it are computed anew. SubmissionRejected says why it was refused.
        """
        check_calendar(calendar)
        command = StoreCalendar(name, calendar, override)
        await self._submitter.submit([self._submitter.make(calendar_key(name), command)])

    async def delete_calendar(self, name: str) -> None:
        """Delete a calendar; SubmissionRejected while a trigger or another calendar uses it."""
        await self.calendar(name)
        command = DeleteCalendar(name)
        await self._submitter.submit([self._submitter.make(calendar_key(name), command)])

    # Looking

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
        record = await self.caches.jobs.get(_parsed(key))
        if record is None:
            raise NotFound(f"there is no job {key}")
        return record.value

    async def trigger(self, key: str) -> Trigger:
        """The trigger of that key; NotFound where there is none."""
        record = await self.caches.triggers.get(_parsed(key))
        if record is None:
            raise NotFound(f"there is no trigger {key}")
        return record.value

    async def firing(self, key: str) -> Firing:
        """The firing of that key; NotFound where there is none (any more)."""
        record = await self.caches.firings.get(_parsed(key))
        if record is None:
            raise NotFound(f"there is no firing {key}")
        return record.value

    async def jobs(self, *, group: str | None = None) -> list[Job]:
        """The jobs, by key."""
        found = await self._find(self.caches.jobs, None, group=group)
        return sorted(found, key=lambda job: job.key)

    async def triggers(self, *, job: str | None = None, state: str | None = None) -> list[Trigger]:
        """The triggers, by key; of one job, or in one state."""
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
        InvalidSchedule for a naive time."""
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
        """What runs returned, the earliest first."""
        found = await self._find(self.caches.results, job, job=job)
        there = (result for result in found if not result.drained_by)
        return sorted(there, key=lambda result: result.finished_at)

    async def result(self, firing: str) -> Result:
        """What the run of that firing returned; NotFound where there is nothing (any more)."""
        record = await self.caches.results.get(_parsed(firing))
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

    # Below the surface

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

    async def _change_group(
        self, pattern: str, of: GroupKind, command: PauseGroup | ResumeGroup
    ) -> None:
        check_group(pattern, of)
        await self._submitter.submit([self._submitter.make(groups_key(), command)])

    async def _require(self, key: str) -> None:
        """NotFound where the key names nothing: said before anything is submitted."""
        await (self.job(key) if parse_key(key).trigger_name is None else self.trigger(key))

    async def _schedule_stored(self, key: str, trigger: Trigger) -> Trigger:
        job = await self.job(key)
        trigger = self._complete(job, trigger)[1]
        submission = self._submitter.make(key, ScheduleJob(None, (trigger,)))
        await self._submitter.submit([submission])
        return await self.trigger(trigger.key)

    async def _submit_pairs(self, pairs: Sequence[Pair], *, unique: bool) -> None:
        await self._submitter.submit(
            [
                self._submitter.make(job.key, ScheduleJob(job, (trigger,), unique))
                for job, trigger in pairs
            ]
        )

    def _complete(self, job: Job, trigger: Trigger) -> Pair:
        job = self._named(job)
        trigger = replace(trigger, job=job.key, name=trigger.name or job.name)
        check_trigger(trigger)
        return job, trigger

    def _named(self, job: Job) -> Job:
        named = job if job.name else replace(job, name=usual_name(job))
        check_job(named)
        check_events(named)
        return named


def _equal(**wanted: str | None) -> list[Condition]:
    """That fields are as wanted (None: anything)."""
    return [Equal(name, value) for name, value in wanted.items() if value is not None]


def _scheduled(start: datetime | None, end: datetime | None) -> list[Condition]:
    if start is None and end is None:
        return []
    low = 0 if start is None else instant(start, "start")
    high = LAST_INSTANT if end is None else instant(end, "end")
    return [Between("scheduled", low, high)]


def _parsed(key: str) -> str:
    """The key, once it is sure to be written as one."""
    parse_key(key)
    return key


def _check_firing(key: str) -> None:
    """NotFound where a key is not that of a firing."""
    if parse_key(key).scheduled is None:
        raise NotFound(f"there is no firing {key}: its key is a trigger's with @ and an instant")
