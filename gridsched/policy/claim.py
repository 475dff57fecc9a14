"""Claim: which instants of a due trigger are fired now, and how the trigger goes on.

Two nodes may claim the same trigger at slightly different times. The instants that they name are
functions of the trigger's record alone (never of `now`), so that both meet at the same firing key:
a coalesced or skipped range is named after its first instant.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.model.trigger import Once, Simple, Trigger
from gridsched.policy.fire_times import count_until, fire_after
from gridsched.policy.misfire import MisfireAction, action, misfired

MAX_INSTANTS: Final = 64
"""Instants of one trigger that one claim fires; what is left stays due for the next look."""

MAX_COUNTED: Final = 1000
"""Missed instants that one claim puts into a range; what is left stays due for the next look."""


class Instant(msgspec.Struct, frozen=True, gc=False):
    """One firing to make: the instant `scheduled`, or a range of `count` from it to `until`."""

    scheduled: int
    until: int | None = None
    count: int = 1
    skipped: bool = False


class Claim(NamedTuple):
    """The firings to make, and the trigger to store once they are made."""

    instants: tuple[Instant, ...]
    trigger: Trigger


class Window(NamedTuple):
    """When a claim is made: `horizon` is `now` plus the look-ahead (epoch ms), `threshold` the
    misfire threshold (ms)."""

    now: int
    horizon: int
    threshold: int


def claim(trigger: Trigger, window: Window, most: int = MAX_INSTANTS) -> Claim:
    """Claim at most `most` instants that are due up to the horizon.

    A trigger with nothing due is given back as it is.
    """
    now, horizon, threshold = window
    scheduled = trigger.next_fire
    if trigger.state != "NORMAL" or scheduled is None or scheduled > horizon:
        return Claim((), trigger)
    if isinstance(trigger.schedule, Once):
        return Claim((Instant(scheduled),), advance(trigger, None, scheduled, 1, now))
    if misfired(trigger, now, threshold):
        chosen = action(trigger)
        if chosen is MisfireAction.SHIFT:
            return _shift(trigger, scheduled, now)
        if chosen is not MisfireAction.FIRE_ALL:
            return _range(trigger, scheduled, now, skip=chosen is MisfireAction.SKIP)
    return _each(trigger, scheduled, window, most)


def adopt(trigger: Trigger, firing: Firing, now: int) -> Trigger:
    """The trigger after it met a firing of its next instant that another node made: what stands
    there decides how far it goes on."""
    last = firing.scheduled if firing.until is None else firing.until
    return advance(trigger, fire_after(trigger.schedule, last), last, firing.count, now)


def _each(trigger: Trigger, first: int, window: Window, most: int) -> Claim:
    now, horizon, _ = window
    instants = [Instant(first)]
    following = fire_after(trigger.schedule, first)
    while following is not None and following <= horizon and len(instants) < most:
        instants.append(Instant(following))
        following = fire_after(trigger.schedule, following)
    last = instants[-1].scheduled
    return Claim(tuple(instants), advance(trigger, following, last, len(instants), now))


def _range(trigger: Trigger, first: int, now: int, *, skip: bool) -> Claim:
    count, last = count_until(trigger.schedule, first, now, MAX_COUNTED)
    following = fire_after(trigger.schedule, last)
    moved = advance(trigger, following, last, count, now)
    lost = count if skip else count - 1
    if lost == 0:
        return Claim((Instant(first),), moved)
    until = last if count > 1 else None
    missed = replace(moved, misfired=trigger.misfired + lost)
    return Claim((Instant(first, until, count, skip),), missed)


def _shift(trigger: Trigger, first: int, now: int) -> Claim:
    """The instant that was missed fires now; the remaining ones follow at the interval from now."""
    schedule = trigger.schedule
    assert isinstance(schedule, Simple)
    left = schedule.repeat_count - (first - schedule.start) // schedule.interval
    shifted = replace(schedule, start=now, repeat_count=left)
    following = fire_after(shifted, now)
    return Claim(
        (Instant(first),), advance(replace(trigger, schedule=shifted), following, first, 1, now)
    )


def advance(trigger: Trigger, following: int | None, last: int, count: int, now: int) -> Trigger:
    """The trigger after `count` instants up to `last` were claimed; `following` is its next."""
    return replace(
        trigger,
        next_fire=following,
        due=following,
        previous_fire=last,
        fired=trigger.fired + count,
        state=trigger.state if following is not None else "COMPLETE",
        finished_at=None if following is not None else max(now, last),
    )


class Acquisition(NamedTuple):
    """Who claims, when, and how long (ms) until somebody looks again at what is not started."""

    by: str
    now: int
    lease: int


def acquire(
    trigger_key: str,
    trigger: Trigger,
    job: Job,
    instant: Instant,
    *,
    member: str,
    acquisition: Acquisition,
) -> Firing:
    """The firing record of one claimed instant, to be sent to `member`."""
    scheduled = instant.scheduled
    now = acquisition.now
    if instant.skipped:
        return Firing(
            trigger=trigger_key,
            scheduled=scheduled,
            state="SKIPPED",
            job=trigger.job,
            acquired_at=now,
            acquired_by=acquisition.by,
            finished_at=now,
            until=instant.until,
            count=instant.count,
        )
    return Firing(
        trigger=trigger_key,
        scheduled=scheduled,
        due=max(scheduled, now) + acquisition.lease,
        job=trigger.job,
        priority=job.priority if trigger.priority is None else trigger.priority,
        member=member,
        acquired_at=now,
        acquired_by=acquisition.by,
        until=instant.until,
        count=instant.count,
    )
