"""The facade, async: what a client asks of the cluster. `gridsched.client.blocking` is the same
without `await`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Self

from msgspec.structs import replace

from gridsched.client.handle import AsyncHandle
from gridsched.client.immediate import check_is_job, firing_of, immediate
from gridsched.client.looking import Looking, not_found
from gridsched.client.outcome import AsyncOutcome
from gridsched.client.session import AsyncSession
from gridsched.client.submitter import Submitter
from gridsched.client.triggers import instant
from gridsched.clock import Clock, Ids
from gridsched.errors import InvalidSchedule, NotFound
from gridsched.grid.port import Grid
from gridsched.model.calendar import Calendar
from gridsched.model.groups import GroupKind
from gridsched.model.job import Job, Overlap, check_job, usual_name
from gridsched.model.keys import calendar_key, groups_key, parse_key, trigger_key
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
from gridsched.policy.backfill import BACKFILL_GROUP, check_backfill
from gridsched.policy.calendar_checks import check_calendar
from gridsched.policy.checks import check_trigger
from gridsched.policy.event_checks import check_events
from gridsched.policy.groups import EVERY, check_group
from gridsched.stores.caches import Caches

Pair = tuple[Job, Trigger]


def _itself(outcome: AsyncOutcome) -> AsyncOutcome:
    return outcome


class AsyncScheduler(Looking):
    """A client of the cluster. Keys are written keys: `group/name` of a job, and with
    `:trigger-group/trigger-name` of a trigger. Any method may raise GridUnavailable."""

    def __init__(
        self, grid: Grid, caches: Caches, clock: Clock, ids: Ids, timeout: float, *, owned: bool
    ) -> None:
        super().__init__(grid, caches, clock, ids)
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
        """Store the job with the trigger; those of their names are replaced. Of a trigger that is
        replaced nothing starts any more but what was due before, has run already, or the new one
        names too.

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

    # Below the surface

    async def _change_group(
        self, pattern: str, of: GroupKind, command: PauseGroup | ResumeGroup
    ) -> None:
        check_group(pattern, of)
        await self._submitter.submit([self._submitter.make(groups_key(), command)])

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
        if not isinstance(trigger, Trigger):
            raise InvalidSchedule(f"{trigger!r} is no trigger: cron(), every() or once() makes one")
        job = self._named(job)
        trigger = replace(trigger, job=job.key, name=trigger.name or job.name)
        check_trigger(trigger)
        return job, trigger

    def _named(self, job: Job) -> Job:
        check_is_job(job)
        named = job if job.name else replace(job, name=usual_name(job))
        check_job(named)
        check_events(named)
        return named


def _check_firing(key: str) -> None:
    """NotFound where a key is not that of a firing."""
    if parse_key(key).scheduled is None:
        raise not_found("firing", key)
