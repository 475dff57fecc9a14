"""Acquire: the firing record of an instant that was claimed."""

from __future__ import annotations

from typing import NamedTuple

from gridsched.model.caches import RETENTION_MS
from gridsched.model.firing import Firing
from gridsched.model.job import UNTIL_DISCARDED, Job
from gridsched.model.keys import firing_key
from gridsched.model.trigger import Trigger
from gridsched.policy.claim import Instant
from gridsched.policy.jitter import offset
from gridsched.policy.overlap import overlap_of


class Destination(NamedTuple):
    """The member that a firing is sent to, or the reason why it is sent to none."""

    member: str
    reason: str = ""


class Acquisition(NamedTuple):
    """Who claims, when, how long (ms) until somebody looks again at what is not started, and how
    long (ms) the cluster keeps what is final."""

    by: str
    now: int
    lease: int
    retention: int = RETENTION_MS


def retention(job: Job, by_default: int) -> int | None:
    """How long (ms) a job's firings stay once they are final; None: until they are discarded."""
    if job.retention is None:
        return by_default
    return None if job.retention == UNTIL_DISCARDED else round(float(job.retention) * 1000)


def acquire(
    trigger_key: str,
    trigger: Trigger,
    job: Job,
    instant: Instant,
    *,
    destination: Destination,
    acquisition: Acquisition,
) -> Firing:
    """The firing record of one claimed instant. Where jitter moves it beyond the lease, it is sent
    later, by the sweep; REJECTED where no member may run it."""
    if instant.skipped:
        return _skipped(trigger_key, trigger, job, instant, acquisition)
    scheduled, now = instant.scheduled, acquisition.now
    moved = offset(firing_key(trigger_key, scheduled), trigger.jitter)
    at = max(scheduled + moved, now)
    later = bool(moved) and at - now > acquisition.lease
    return Firing(
        trigger=trigger_key,
        scheduled=scheduled,
        state="REJECTED" if destination.reason else "ACQUIRED",
        error=destination.reason,
        due=at if later else at + acquisition.lease,
        fire_at=scheduled + moved if moved else None,
        job=trigger.job,
        priority=job.priority if trigger.priority is None else trigger.priority,
        member="" if later else destination.member,
        overlap=overlap_of(trigger, job),
        acquired_at=now,
        acquired_by=acquisition.by,
        retention=retention(job, acquisition.retention),
        until=instant.until,
        count=instant.count,
    )


def _skipped(
    trigger_key: str, trigger: Trigger, job: Job, instant: Instant, acquisition: Acquisition
) -> Firing:
    now, kept = acquisition.now, retention(job, acquisition.retention)
    return Firing(
        trigger=trigger_key,
        scheduled=instant.scheduled,
        state="SKIPPED",
        job=trigger.job,
        acquired_at=now,
        acquired_by=acquisition.by,
        finished_at=now,
        error=instant.reason,
        retention=kept,
        forget_at=None if kept is None else now + kept,
        until=instant.until,
        count=instant.count,
    )
