"""What a submission makes of the stores: pure plans that the owner of its partition carries out.

A rejection is raised as the GridschedError whose text the client is to see. Every plan made again
after it was carried out changes nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from gridsched.errors import InvalidJob, InvalidSchedule, NotFound
from gridsched.model.calendar import Calendar
from gridsched.model.firing import FINAL, STARTABLE, Firing
from gridsched.model.job import Job, check_job
from gridsched.model.submission import ScheduleJob, Submission
from gridsched.model.trigger import Once, Trigger
from gridsched.policy import transitions
from gridsched.policy.acquire import Acquisition, Destination, acquire
from gridsched.policy.calendars import ResolvedCalendar, resolve
from gridsched.policy.checks import check_trigger
from gridsched.policy.claim import Instant
from gridsched.policy.event_checks import check_events
from gridsched.policy.fire_times import (
    done_until,
    edition,
    fire_after,
    first_fire,
    following,
    starting,
)
from gridsched.policy.misfire import OUTSIDE_CATCH_UP, MisfireAction, action, is_overdue, oldest

MANUAL_GROUP = "MANUAL_TRIGGER"
"""The group of triggers made by `fire` and `submit` (Quartz's DEFAULT_MANUAL_TRIGGERS)."""


class SchedulePlan(NamedTuple):
    """The job to store, where it is to be stored, and the triggers to store."""

    job: Job | None
    triggers: tuple[Trigger, ...]


def plan_schedule(
    submission: Submission,
    command: ScheduleJob,
    stored_job: Job | None,
    stored: Mapping[str, Trigger],
    calendars: Mapping[str, Calendar],
) -> SchedulePlan:
    """What to store for a `ScheduleJob`. `stored` holds the job's triggers by written key,
    `calendars` those that the triggers name, with their bases."""
    job = command.job
    if job is None:
        if stored_job is None:
            raise NotFound(f"there is no job {submission.job} to schedule")
    else:
        check_job(job)
        check_events(job)
        _check_durable(job, command, stored)
        if command.unique and stored_job is not None:
            job = None
    made = [_accept(trigger, submission, calendars) for trigger in command.triggers]
    fresh = [trigger for trigger in made if _is_new(trigger, stored, unique=command.unique)]
    if job is not None:
        job = replace(job, submitted_at=submission.created_at, left_by="")
        if stored_job is not None and stored_job == replace(
            job, data=stored_job.data, left_by=stored_job.left_by
        ):
            job = None  # Applied before, and since then a run may have left data in it.
    return SchedulePlan(job, tuple(fresh))


def _check_durable(job: Job, command: ScheduleJob, stored: Mapping[str, Trigger]) -> None:
    if not (job.durable or command.triggers or stored):
        raise InvalidJob(
            f"job {job.key} has no trigger: only a durable job may be stored without one"
        )


def _accept(trigger: Trigger, submission: Submission, calendars: Mapping[str, Calendar]) -> Trigger:
    schedule = starting(trigger.schedule, submission.created_at)
    check_trigger(replace(trigger, schedule=schedule))
    at = first_fire(schedule, calendar_of(trigger, calendars))
    if at is None:
        raise InvalidSchedule(
            f"trigger {trigger.name!r} will never fire: calendar {trigger.calendar!r} excludes it"
        )
    # Of a trigger that was scheduled before nothing but what its user wrote is taken.
    return Trigger(
        schedule,
        name=trigger.name,
        group=trigger.group,
        job=submission.job,
        description=trigger.description,
        data=trigger.data,
        misfire=trigger.misfire,
        calendar=trigger.calendar,
        priority=trigger.priority,
        jitter=trigger.jitter,
        catch_up=trigger.catch_up,
        next_fire=at,
        due=at,
        tzdata=edition(schedule, trigger.calendar),
        submission=submission.id,
        created_at=submission.created_at,
    )


def as_accepted(trigger: Trigger, calendar: ResolvedCalendar | None) -> Trigger:
    """A stored trigger as it stood when it was accepted, by the calendar that it names now."""
    schedule = trigger.accepted or trigger.schedule
    at = fire_after(schedule, trigger.since - 1, calendar)
    fresh = replace(trigger, schedule=schedule, accepted=None, next_fire=at, due=at)
    return replace(
        fresh, state="NORMAL", previous_fire=None, fired=0, misfired=0, finished_at=None, error=""
    )


def _is_new(trigger: Trigger, stored: Mapping[str, Trigger], *, unique: bool) -> bool:
    there = stored.get(trigger.key)
    return there is None or not (unique or there.submission == trigger.submission)


def calendar_of(trigger: Trigger, calendars: Mapping[str, Calendar]) -> ResolvedCalendar | None:
    """The calendar that a trigger names, with its bases; NotFound where there is none."""
    return resolve(trigger.calendar, calendars) if trigger.calendar else None


def recomputed(
    trigger: Trigger, calendar: ResolvedCalendar | None, now: int, claimed_until: int = 0
) -> Trigger:
    """The trigger after its calendar or the rules of its zone changed: what it has fired stands, its
    next fire is computed anew (Quartz's updateWithNewCalendar).

    Up to `claimed_until` another node may be claiming it just now, and what its calendar excluded
    stays so: there the next fire is not moved to an earlier instant.
    """
    if trigger.state not in ("NORMAL", "PAUSED") or trigger.finished_at is not None:
        return trigger
    done = done_until(trigger)
    if trigger.next_fire is not None:
        done = max(done, min(trigger.next_fire, claimed_until) - 1)
    fire = following(trigger, done, trigger.fired - trigger.misfired, calendar)
    if fire is None:  # One that is paused stays so: what was parked with it is not to start.
        state = "COMPLETE" if trigger.state == "NORMAL" else trigger.state
        return replace(trigger, state=state, next_fire=None, due=None, finished_at=now)
    return replace(
        trigger,
        next_fire=fire,
        due=fire if trigger.state == "NORMAL" else None,
        tzdata=edition(trigger.schedule, trigger.calendar),
    )


def manual_trigger(submission: Submission, data: dict[str, Any], base: Trigger | None) -> Trigger:
    """The trigger by which `fire` runs a job once, at the instant it was asked for."""
    inherited = {} if base is None else base.data
    at = submission.created_at
    return Trigger(
        Once(at),
        name=submission.id,
        group=MANUAL_GROUP,
        job=submission.job,
        data={**inherited, **data},
        priority=None if base is None else base.priority,
        next_fire=at,
        due=at,
        submission=submission.id,
        created_at=at,
    )


def pause_trigger(trigger: Trigger) -> Trigger:
    """A paused trigger is not looked at. One that is COMPLETE may still have a firing to start: what
    was claimed ahead, retries or has yielded is parked with it."""
    if trigger.state not in ("NORMAL", "COMPLETE"):
        return trigger
    return replace(trigger, state="PAUSED", due=None)


def resume_trigger(trigger: Trigger) -> Trigger:
    """A resumed trigger is due at its next fire; what it missed meets its misfire policy."""
    if trigger.state != "PAUSED":
        return trigger
    if trigger.next_fire is None:
        return replace(trigger, state="COMPLETE")
    return replace(trigger, state="NORMAL", due=trigger.next_fire)


def pause_firing(firing: Firing) -> Firing:
    """A firing that has not started is parked with its trigger."""
    return transitions.pause(firing) if firing.state in STARTABLE else firing


def resume_firing(firing: Firing, trigger: Trigger | None, now: int, threshold: int) -> Firing:
    """A parked firing is sent out again, unless it is late and the misfire policy skips such."""
    if firing.state != "PAUSED":
        return firing
    if firing.has_run:
        return transitions.resume(firing, now)  # It has run: its instant was not missed.
    late = is_overdue(firing.scheduled, now, threshold)
    if late and trigger is not None and action(trigger) is MisfireAction.SKIP:
        return transitions.skip(firing, now, "resumed too late for its misfire policy")
    if trigger is not None and firing.scheduled < oldest(trigger, now):
        return transitions.skip(firing, now, OUTSIDE_CATCH_UP)
    return transitions.resume(firing, now)


def cancel_firing(firing: Firing, reason: str, now: int) -> Firing:
    """A firing that has not started ends CANCELLED; any other stays as it is."""
    if firing.state in STARTABLE or firing.state == "PAUSED":
        return transitions.cancel(firing, reason, now)
    return firing


def replaced_firing(firing: Firing, trigger: Trigger, now: int) -> Firing:
    """What becomes of a firing whose trigger has been given another schedule since it was claimed.

    That holds from when it was submitted: what was claimed of later instants ends CANCELLED, unless the
    new schedule names it too. What was due before, or has run already, stays with the one before.
    """
    at = firing.scheduled
    if firing.has_run or at < trigger.created_at or _names(trigger, at):
        return firing
    return cancel_firing(firing, "its trigger was replaced", now)


def left_over(firing: Firing, trigger: Trigger, now: int) -> Firing:
    """As `replaced_firing`, of a firing that may as well be the trigger's own: a node that died may have
    made it of the trigger as it was before. One that was shifted, or is computed by other rules of its
    zone than there are here, may have named it."""
    known = trigger.tzdata == edition(trigger.schedule, trigger.calendar)
    return replaced_firing(firing, trigger, now) if known and trigger.accepted is None else firing


def _names(trigger: Trigger, instant: int) -> bool:
    """Does its schedule name the instant, as it was accepted or as a misfire policy has shifted it?"""
    schedules = (trigger.schedule, trigger.accepted or trigger.schedule)
    return any(fire_after(schedule, instant - 1) == instant for schedule in schedules)


_AS_MADE: Final = STARTABLE | {"SKIPPED"}
"""The states of a firing that nobody but its maker has had in hand."""


def follow(firing: Firing, claimed: Trigger, by_now: Trigger | None, now: int) -> Firing | None:
    """What becomes of a firing whose trigger changed before it had counted it; None: it goes, for the
    calendar that its trigger is under now leaves the instant out."""
    if by_now is None:
        return cancel_firing(firing, "its trigger was removed", now)
    if by_now.submission != claimed.submission:
        firing = replaced_firing(firing, by_now, now)
    else:
        counted = by_now.fired != claimed.fired or firing.has_run or firing.state not in _AS_MADE
        if not counted and _passes(by_now, firing.scheduled):
            return None
    return pause_firing(firing) if by_now.state == "PAUSED" else firing


def _passes(trigger: Trigger, instant: int) -> bool:
    """Is an instant none that it is still to fire?"""
    return trigger.next_fire is None or instant < trigger.next_fire


def cancel_unfinished(firing: Firing, reason: str, now: int) -> Firing:
    """A firing that is not final ends CANCELLED, though it runs: its member then ends the run."""
    return firing if firing.state in FINAL else transitions.cancel(firing, reason, now)


def discard(firing: Firing, reason: str, now: int) -> Firing:
    """A firing that nobody wants any more, with its result: it ends, and may go at once; one whose
    instant is to come when that is over, or its trigger would make it anew."""
    ended = cancel_unfinished(firing, reason, now)
    return replace(ended, retention=0, forget_at=max(now, firing.scheduled))


def cancelled_ahead(trigger: Trigger, job: Job, reason: str, acquisition: Acquisition) -> Firing:
    """The next instant of a trigger, cancelled before anybody claimed it. Whoever claims it finds
    this record, adopts it and advances the trigger; so it stays for that long at least."""
    scheduled = trigger.next_fire or 0
    firing = acquire(
        trigger.key,
        trigger,
        job,
        Instant(scheduled),
        destination=Destination(""),
        acquisition=acquisition,
    )
    now = acquisition.now
    kept_until = transitions.forget_at(firing, max(now, scheduled))
    return replace(transitions.cancel(firing, reason, now), forget_at=kept_until)
