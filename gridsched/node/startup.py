"""Startup calendars and jobs: those of the config, submitted once however many nodes carry the same
file. What was refused is submitted again with the next node that starts."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence

from msgspec.structs import replace

from gridsched.clock import Clock
from gridsched.config.settings import Settings, StartupCalendar, StartupJob
from gridsched.model.keys import calendar_key, trigger_key
from gridsched.model.submission import ScheduleJob, StoreCalendar, Submission
from gridsched.model.trigger import Trigger
from gridsched.stores.submissions import SubmissionStore


def startup_submission(startup: StartupJob, now: int) -> Submission:
    """The submission of a startup job. Its id names the job's triggers, so that the same file
    makes the same submission at every node, and a trigger added to the file a new one."""
    job = startup.job
    triggers = tuple(_named(trigger, job.key) for trigger in startup.triggers)
    names = "\n".join(sorted(trigger.key for trigger in triggers))
    mark = hashlib.sha256(names.encode()).hexdigest()[:12]
    command = ScheduleJob(job, triggers, unique=True)
    return Submission(f"startup-{mark}", job.key, command, created_at=now, keep=True)


def _named(trigger: Trigger, job: str) -> Trigger:
    named = replace(trigger, job=job)
    trigger_key(job, named.group, named.name)
    return named


def _calendar_submission(startup: StartupCalendar, now: int) -> Submission:
    command = StoreCalendar(startup.name, startup.calendar, unique=True)
    return Submission("startup", calendar_key(startup.name), command, created_at=now, keep=True)


async def submit_startup(store: SubmissionStore, settings: Settings, clock: Clock) -> None:
    """Submit calendars, one after the other, for each may be the base of the next; then jobs, which
    may name them."""
    for startup in settings.calendars:
        submission = _calendar_submission(startup, clock.now())
        await _submit(store, [submission])
        await _answered(store, submission, settings.poll_interval_ms / 1000)
    await _submit(store, [startup_submission(job, clock.now()) for job in settings.jobs])


async def _submit(store: SubmissionStore, submissions: Sequence[Submission]) -> None:
    """Submit each unless some node has done so before and it was not refused."""
    made = [store.written(submission) for submission in submissions]
    there = await store.get_all(record.key for record in made)
    await store.apply(
        [
            store.stored(record.value, before)
            for record in made
            for before in [there.get(record.key)]
            if before is None or before.value.state == "REJECTED"
        ]
    )


async def _answered(store: SubmissionStore, submission: Submission, interval: float) -> None:
    """Wait until some node has applied or refused it; looks every `interval` seconds."""
    while True:
        there = await store.get(store.key_of(submission))
        if there is None or there.value.state != "NEW":
            return
        await asyncio.sleep(interval)
