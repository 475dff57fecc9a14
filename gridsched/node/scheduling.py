"""Applying schedule submissions: jobs to Job-Store, triggers to Trigger-Store, in batches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from gridsched.errors import GridschedError, GridUnavailable, InvalidSchedule, NotFound
from gridsched.grid.data import partition_of
from gridsched.grid.port import Change
from gridsched.model.calendar import Calendar
from gridsched.model.firing import Firing
from gridsched.model.groups import PausedGroups
from gridsched.model.job import Job
from gridsched.model.keys import trigger_key
from gridsched.model.submission import ScheduleJob, Submission
from gridsched.model.trigger import Trigger
from gridsched.node.core import Core
from gridsched.node.groups import Groups
from gridsched.node.hooks import Hook
from gridsched.node.locks import JobLocks
from gridsched.node.long_work import each
from gridsched.node.membership import Membership
from gridsched.policy.groups import starting_paused
from gridsched.policy.submissions import (
    SchedulePlan,
    calendar_of,
    plan_schedule,
    recomputed,
    replaced_firing,
)
from gridsched.stores.record import Record, change

_log = logging.getLogger("gridsched.scheduling")


class Applied(NamedTuple):
    """What became of one submission: `error` says why it was refused; `settled` is False where
    another writer was faster, and it must be looked at again."""

    triggers: list[Record[Trigger]]
    error: str = ""
    settled: bool = True


class Stored(NamedTuple):
    """What stood in the stores when it was looked up; jobs and triggers by written key."""

    jobs: Mapping[str, Record[Job]]
    triggers: Mapping[str, Record[Trigger]]
    calendars: Mapping[str, Calendar]
    paused: PausedGroups

    def of_submission(self, submission: Submission) -> list[Record[Trigger]]:
        """What a node that died over it had stored already."""
        found = [self.triggers[key] for key in _trigger_keys(submission) if key in self.triggers]
        return [record for record in found if record.value.submission == submission.id]

    def triggers_for(self, submission: Submission) -> dict[str, Trigger]:
        """Those that a submission names; all of its job, where it names none."""
        keys = _trigger_keys(submission) or [
            key for key, record in self.triggers.items() if record.value.job == submission.job
        ]
        return {key: self.triggers[key].value for key in keys if key in self.triggers}


class Scheduling:
    """Applies `ScheduleJob` submissions."""

    def __init__(self, core: Core, groups: Groups, membership: Membership, locks: JobLocks) -> None:
        self._groups = groups
        self._locks = locks
        self._membership = membership
        self._hooks = core.hooks
        self._clock = core.clock
        self._look_ahead = core.settings.look_ahead_ms
        self._caches = core.caches
        self._runnables = core.runnables

    async def look_up(self, submissions: Sequence[Submission]) -> Stored:
        """What is stored of the jobs, triggers and calendars that submissions are about: asked for
        together, as immediate work waits for it."""
        found = await asyncio.gather(
            self._caches.jobs.get_all([submission.job for submission in submissions]),
            self._stored_triggers(submissions),
            self._caches.calendars.with_bases(_calendars(submissions)),
            self._caches.groups.paused(),
        )
        return Stored(*found)

    async def apply(
        self, submissions: Sequence[Submission], stored: Stored, standing: int
    ) -> list[Applied]:
        """Apply submissions of different jobs; jobs first, then triggers, each as one batch. They were
        not answered in this standing (see `Membership`): of what a node read before it slept, the
        others may have applied all, and its user deleted it."""
        self._membership.check_standing(standing)
        planned = [self._plan(submission, stored) for submission in submissions]
        plans = [plan for plan in planned if isinstance(plan, SchedulePlan)]
        jobs_done = await self._store_jobs(plans, stored.jobs)
        made = [self._caches.triggers.written(t) for plan in plans for t in plan.triggers]
        changes = [
            Change(record.data_key, before.raw if before else None, record.raw)
            for record in made
            for before in [stored.triggers.get(record.key)]
        ]
        self._membership.check_standing(standing)
        done = await self._caches.triggers.apply(changes)
        await self._check_jobs(made, standing)
        failed = {record.key for record, ok in zip(made, done, strict=True) if not ok}
        written = [record for record in made if record.key not in failed]
        written += [record for s in submissions for record in stored.of_submission(s)]
        written, without = await self._by_calendars_now(written)
        failed |= without
        settled = await self._groups.settle(written) if written else []
        replaced = [record for record in settled if record.key in stored.triggers]
        if replaced:
            await self._end_replaced(replaced, standing)
        accepted = {record.key: record for record in settled}
        return self._applied(planned, jobs_done, accepted, failed)

    async def _check_jobs(self, made: Sequence[Record[Trigger]], standing: int) -> None:
        """Where this node slept over the write of triggers, those go whose job is gone by now: it was
        deleted with them meanwhile."""
        try:
            self._membership.check_standing(standing)
        except GridUnavailable:
            jobs = await self._caches.jobs.get_all({record.value.job for record in made})
            ours = {r.key: r.value.submission for r in made if r.value.job not in jobs}
            there = await self._caches.triggers.get_all(ours)
            await self._caches.triggers.apply(
                [
                    self._caches.triggers.removed(record)
                    for key, record in there.items()
                    if record.value.submission == ours[key]
                ]
            )
            raise

    async def _by_calendars_now(
        self, written: Sequence[Record[Trigger]]
    ) -> tuple[list[Record[Trigger]], set[str]]:
        """Triggers that were just stored, by their calendars as they are now, and the keys of those
        that are taken back, for theirs has gone. Who changes or deletes a calendar does so first, then
        looks for the triggers under it; so at least one of the two sees the other."""
        names = {record.value.calendar for record in written if record.value.calendar}
        calendars = await self._caches.calendars.with_bases(names) if names else {}
        now = self._clock.now()
        claimed_until = now + self._look_ahead
        kept: list[Record[Trigger]] = []
        without: set[str] = set()
        for record in written:
            try:
                calendar = calendar_of(record.value, calendars)
            except (NotFound, InvalidSchedule):
                await self._caches.triggers.apply([self._caches.triggers.removed(record)])
                without.add(record.key)
                continue
            step = partial(recomputed, calendar=calendar, now=now, claimed_until=claimed_until)
            by_now = await change(self._caches.triggers, record, step) if calendar else record
            kept += [] if by_now is None else [by_now]
        return kept, without

    async def _end_replaced(self, triggers: Sequence[Record[Trigger]], standing: int) -> None:
        """What was claimed ahead of triggers that were there before goes with their old schedules. What
        a node claims meanwhile follows by itself, as the trigger is another (see `Claimer`)."""
        by_now = {record.key: record.value for record in triggers}
        partitions = {partition_of(record.data_key) for record in triggers}
        found = await self._caches.firings.unfinished(partitions)
        self._membership.check_standing(standing)

        async def end(record: Record[Firing]) -> None:
            trigger, now = by_now[record.value.trigger], self._clock.now()
            await self._locks.step(record, partial(replaced_firing, trigger=trigger, now=now))

        await each([record for record in found if record.value.trigger in by_now], end)

    async def _stored_triggers(
        self, submissions: Sequence[Submission]
    ) -> dict[str, Record[Trigger]]:
        keys = [key for submission in submissions for key in _trigger_keys(submission)]
        stored = await self._caches.triggers.get_all(keys)
        for submission in submissions:
            if not _command(submission).triggers:
                partition = partition_of(self._caches.jobs.data_key(submission.job))
                found = await self._caches.triggers.of_job(submission.job, partition)
                stored.update((record.key, record) for record in found)
        return stored

    def _plan(self, submission: Submission, stored: Stored) -> SchedulePlan | str:
        """The plan, or the reason why it is refused."""
        command = _command(submission)
        there = stored.triggers_for(submission)
        job = stored.jobs.get(submission.job)
        try:
            if command.job is not None:
                self._runnables.check(command.job)
            stored_job = None if job is None else job.value
            plan = plan_schedule(submission, command, stored_job, there, stored.calendars)
            return plan._replace(triggers=starting_paused(plan.triggers, stored.paused))
        except Exception as error:
            return refusal(submission, error)

    async def _store_jobs(
        self, plans: Sequence[SchedulePlan], jobs: Mapping[str, Record[Job]]
    ) -> set[str]:
        """Store the jobs; the keys of those that another writer changed meanwhile."""
        new = [plan.job for plan in plans if plan.job is not None]
        changes = [self._caches.jobs.stored(job, jobs.get(job.key)) for job in new]
        done = await self._caches.jobs.apply(changes)
        if self._hooks.any:
            for job, ok in zip(new, done, strict=True):
                if ok:
                    self._hooks.call(Hook.on_job_added, job)
        return {job.key for job, ok in zip(new, done, strict=True) if not ok}

    @staticmethod
    def _applied(
        planned: Sequence[SchedulePlan | str],
        jobs_failed: set[str],
        made: Mapping[str, Record[Trigger]],
        triggers_failed: set[str],
    ) -> list[Applied]:
        answers: list[Applied] = []
        for plan in planned:
            if isinstance(plan, str):
                answers.append(Applied([], error=plan))
                continue
            keys = [trigger.key for trigger in plan.triggers]
            lost = triggers_failed.intersection(keys) or (
                plan.job is not None and plan.job.key in jobs_failed
            )
            accepted = [made[key] for key in keys if key in made]
            answers.append(Applied(accepted, settled=not lost))
        return answers


def refusal(submission: Submission, error: Exception) -> str:
    """Why a submission is refused. One that trips over a defect is refused as well: it would be tried
    again for ever, and hold up all that come after it."""
    if isinstance(error, GridschedError):
        return str(error)
    _log.error("a submission about %s meets a defect", submission.job, exc_info=error)
    return f"it meets a defect of the node: {type(error).__name__}: {error}"


def _command(submission: Submission) -> ScheduleJob:
    assert isinstance(submission.command, ScheduleJob)
    return submission.command


def _trigger_keys(submission: Submission) -> list[str]:
    return [trigger_key(submission.job, t.group, t.name) for t in _command(submission).triggers]


def _calendars(submissions: Sequence[Submission]) -> set[str]:
    triggers = (t for submission in submissions for t in _command(submission).triggers)
    return {trigger.calendar for trigger in triggers if trigger.calendar}
