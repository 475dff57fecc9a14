"""Applying every command but `ScheduleJob`: those about a trigger or job here, those about groups,
calendars and single firings by `groups`, `calendars` and `ending`.

Each can be carried out again from the start: a node that dies half way leaves the submission NEW.
"""

from __future__ import annotations

from collections.abc import Callable

from gridsched.errors import NotFound
from gridsched.grid.data import partition_of
from gridsched.model.firing import Firing
from gridsched.model.keys import job_of
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
    StoreCalendar,
    Submission,
)
from gridsched.model.trigger import Trigger
from gridsched.node.calendars import Calendars
from gridsched.node.core import Core
from gridsched.node.ending import Ending
from gridsched.node.fence import Fence
from gridsched.node.groups import Groups
from gridsched.node.hooks import Hook
from gridsched.node.locks import JobLocks
from gridsched.node.retention import Retention
from gridsched.policy import submissions as policy
from gridsched.policy.backfill import plan_backfill
from gridsched.stores.record import Record, change


class Commands:
    """Carries out one command; what cannot be done is raised as the reason for its rejection."""

    def __init__(
        self, core: Core, locks: JobLocks, retention: Retention, groups: Groups, fence: Fence
    ) -> None:
        self._caches = core.caches
        self._fence = fence
        self._hooks = core.hooks
        self._clock = core.clock
        self._threshold = core.settings.misfire_threshold_ms
        self._calendars = Calendars(core)
        self._ending = Ending(core, locks)
        self._locks = locks
        self._groups = groups
        self._retention = retention
        self.applying = retention.applying

    async def apply(self, record: Record[Submission]) -> list[Record[Trigger]]:
        """The triggers that are due sooner than they were. NotFound where the key names nothing,
        Overtaken where another node has applied it meanwhile."""
        self._fence.around(record.key)
        submission = record.value
        sooner: list[Record[Trigger]] = []
        match submission.command:
            case Pause(key):
                await self._pause(key)
                self._hooks.call(Hook.on_paused, key)
            case Resume(key):
                sooner = await self._resume(key)
                self._hooks.call(Hook.on_resumed, key)
            case PauseGroup() | ResumeGroup() as of_groups:
                sooner = await self._groups.apply(of_groups)
            case Delete(key):
                await self._delete(key)
            case CancelFiring() | Discard() as ending:
                await self._ending.apply(ending)
            case Fire() as fire:
                sooner = await self._fire(submission, fire)
            case Backfill() as backfill:
                sooner = await self._backfill(submission, backfill)
            case StoreCalendar() as store:
                sooner = await self._calendars.store(store)
            case DeleteCalendar() as delete:
                await self._calendars.delete(delete)
            case _:
                raise NotFound(f"no such command: {submission.command!r}")
        return sooner

    def _partition(self, key: str) -> int:
        return partition_of(self._caches.jobs.data_key(job_of(key)))

    async def _triggers(self, key: str) -> list[Record[Trigger]]:
        """The trigger of that key, or every trigger of the job of that key."""
        if ":" not in key:
            if await self._caches.jobs.get(key) is None:
                raise NotFound(f"there is no job {key}")
            return await self._caches.triggers.of_job(key, self._partition(key))
        record = await self._caches.triggers.get(key)
        if record is None:
            raise NotFound(f"there is no trigger {key}")
        return [record]

    async def _pause(self, key: str) -> None:
        for record in await self._triggers(key):
            await change(self._caches.triggers, record, policy.pause_trigger)
            await self._each_firing(record.key, policy.pause_firing)

    async def _resume(self, key: str) -> list[Record[Trigger]]:
        now = self._clock.now()
        sooner: list[Record[Trigger]] = []
        for record in await self._triggers(key):

            def resumed(firing: Firing, trigger: Trigger = record.value) -> Firing:
                return policy.resume_firing(firing, trigger, now, self._threshold)

            # The trigger first: the sweep parks again what is sent out while it is PAUSED.
            changed = await change(self._caches.triggers, record, policy.resume_trigger)
            await self._each_firing(record.key, resumed)
            if changed is not None:
                sooner.append(changed)
        return sooner

    async def _delete(self, key: str) -> None:
        """Deleting what is gone already is no error, so that it can be done again."""
        job = job_of(key)
        triggers = self._caches.triggers
        found = await triggers.of_job(job, self._partition(key))
        doomed = [record for record in found if key in (job, record.key)]
        for record in doomed:
            await triggers.map.remove(record.data_key)
            self._hooks.call(Hook.on_unscheduled, record.key)
        if key == job:
            await self._caches.jobs.map.remove(self._caches.jobs.data_key(job))
            await self._caches.events.map.remove(self._caches.events.data_key(job))
            self._hooks.call(Hook.on_job_deleted, job)
        else:
            await self._retention.remove_orphaned_job(job, self._partition(job))
        for firing in await self._caches.firings.unfinished_of_job(job):
            if key in (job, firing.value.trigger):
                await self._locks.step(firing, self._cancelled("its trigger was removed"))

    async def _fire(self, submission: Submission, command: Fire) -> list[Record[Trigger]]:
        base = None
        if ":" in command.key:
            base = (await self._triggers(command.key))[0].value
        if await self._caches.jobs.get(submission.job) is None:
            raise NotFound(f"there is no job {submission.job}")
        return await self._store(policy.manual_trigger(submission, command.data, base))

    async def _backfill(self, submission: Submission, command: Backfill) -> list[Record[Trigger]]:
        (base,) = await self._triggers(command.key)
        job = await self._caches.jobs.get(submission.job)
        if job is None:
            raise NotFound(f"there is no job {submission.job}")
        name = base.value.calendar
        calendars = await self._caches.calendars.with_bases([name] if name else [])
        calendar = policy.calendar_of(base.value, calendars)
        trigger = plan_backfill(submission, command, base.value, job.value, calendar)
        return await self._store(trigger)

    async def _store(self, trigger: Trigger) -> list[Record[Trigger]]:
        """Store a new trigger; one that is there already was stored for the same submission."""
        record = self._caches.triggers.written(trigger)
        await self._caches.triggers.apply([self._caches.triggers.put(record)])
        return await self._groups.settle([record])

    def _cancelled(self, reason: str) -> Callable[[Firing], Firing]:
        return lambda firing: policy.cancel_firing(firing, reason, self._clock.now())

    async def _each_firing(self, trigger: str, step: Callable[[Firing], Firing]) -> None:
        """Take every firing of a trigger that is not over one step."""
        for record in await self._caches.firings.unfinished_of_trigger(
            trigger, self._partition(trigger)
        ):
            await self._locks.step(record, step)
