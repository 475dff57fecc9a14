"""Startup jobs: those of the config, submitted once however many nodes carry the same file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec.structs import replace

from gridsched.clock import Clock
from gridsched.config.settings import StartupJob
from gridsched.model.keys import trigger_key
from gridsched.model.submission import ScheduleJob, Submission
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


async def submit_startup_jobs(
    store: SubmissionStore, jobs: Sequence[StartupJob], clock: Clock
) -> None:
    """Submit each unless some node has done so before."""
    records = [store.written(startup_submission(job, clock.now())) for job in jobs]
    await store.apply([store.put(record) for record in records])
