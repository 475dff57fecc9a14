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
from gridsched.model.trigger import Trigger
from gridsched.policy.calendars import ResolvedCalendar
from gridsched.policy.fire_times import count_until, edition, fire_after, following
from gridsched.policy.misfire import (
    OUTSIDE_CATCH_UP,
    AfterMisfire,
    apply_misfire,
    oldest,
    skipped_by,
)

MAX_INSTANTS: Final = 64
"""Instants of one trigger that one claim fires; what is left stays due for the next look."""

MAX_COUNTED: Final = 1000
"""Missed instants that one range holds, where they have to be looked at one by one."""


class Instant(msgspec.Struct, frozen=True, gc=False):
    """One firing to make: the instant `scheduled`, or a range of `count` from it to `until`; `reason`
    is why it is skipped."""

    scheduled: int
    until: int | None = None
    count: int = 1
    skipped: bool = False
    reason: str = ""


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


def claim(
    trigger: Trigger,
    window: Window,
    most: int = MAX_INSTANTS,
    calendar: ResolvedCalendar | None = None,
) -> Claim:
    """Claim at most `most` instants that are due up to the horizon.

    `calendar` is the one that the trigger names. A trigger with nothing due is given back as it is.
    """
    scheduled = trigger.next_fire
    if trigger.state != "NORMAL" or scheduled is None or scheduled > window.horizon:
        return Claim((), trigger)
    if scheduled < oldest(trigger, window.now):
        return _too_old(trigger, scheduled, window.now, calendar)
    after = apply_misfire(trigger, window.now, window.threshold, calendar)
    if after is None:
        return _each(trigger, scheduled, window, most, calendar)
    return _missed(trigger, scheduled, after, window.now, calendar)


def adopt(
    trigger: Trigger, firing: Firing, window: Window, calendar: ResolvedCalendar | None = None
) -> Trigger:
    """The trigger after it met a firing of its next instant that another node made: what that node
    decided, at its own time, holds."""
    at = firing.acquired_at
    there = Window(at, at + window.horizon - window.now, window.threshold)
    decided = claim(trigger, there, 1, calendar)
    stands = Instant(firing.scheduled, firing.until, firing.count, firing.state == "SKIPPED")
    if [replace(instant, reason="") for instant in decided.instants] == [stands]:
        return decided.trigger
    last = firing.scheduled if firing.until is None else firing.until
    return _advance(trigger, stands, fire_after(trigger.schedule, last, calendar), at)


def _each(
    trigger: Trigger, first: int, window: Window, most: int, calendar: ResolvedCalendar | None
) -> Claim:
    instants: list[Instant] = []
    fire: int | None = first
    while fire is not None and fire <= window.horizon and len(instants) < most:
        instant = Instant(fire)
        instants.append(instant)
        runs = trigger.fired + 1 - trigger.misfired
        fire = following(trigger, fire, runs, calendar)
        trigger = _advance(trigger, instant, fire, window.now)
    return Claim(tuple(instants), trigger)


def _too_old(trigger: Trigger, first: int, now: int, calendar: ResolvedCalendar | None) -> Claim:
    """What lies before the catch-up window is one skipped range; the rest stays due."""
    before = oldest(trigger, now) - 1
    count, last = count_until(trigger.schedule, first, before, MAX_COUNTED, calendar)
    until = last if count > 1 else None
    part = Instant(first, until, count, skipped=True, reason=OUTSIDE_CATCH_UP)
    fire = following(trigger, last, trigger.fired - trigger.misfired, calendar)
    return Claim((part,), _advance(trigger, part, fire, now))


def _missed(
    trigger: Trigger, first: int, after: AfterMisfire, now: int, calendar: ResolvedCalendar | None
) -> Claim:
    """All missed instants in one range, of which none runs or one. Where they are too many for one
    range, the first of them are skipped and the others stay due: the last range decides."""
    count, last = count_until(trigger.schedule, first, now, MAX_COUNTED, calendar)
    until = last if count > 1 else None
    rest = fire_after(trigger.schedule, last, calendar)
    if rest is not None and rest <= now:
        part = Instant(first, until, count, skipped=True, reason=skipped_by(trigger))
        return Claim((part,), _advance(trigger, part, rest, now))
    reason = skipped_by(trigger)
    if after.schedule != trigger.schedule:
        accepted = trigger.accepted or trigger.schedule
        trigger = replace(trigger, schedule=after.schedule, accepted=accepted)
    if after.next_fire != now:
        skipped = Instant(first, until, count, skipped=True, reason=reason)
        return Claim((skipped,), _advance(trigger, skipped, after.next_fire, now))
    run = Instant(first, until, count)
    fire = following(trigger, now, trigger.fired + 1 - trigger.misfired, calendar)
    # As in Quartz it fired now: what is asked from here on must not find the shifted start again.
    moved = replace(_advance(trigger, run, fire, now), previous_fire=now)
    return Claim((run,), moved)


def _advance(trigger: Trigger, instant: Instant, fire: int | None, now: int) -> Trigger:
    """The trigger after `instant` was claimed; `fire` is its next."""
    last = instant.scheduled if instant.until is None else instant.until
    lost = instant.count if instant.skipped else instant.count - 1
    return replace(
        trigger,
        next_fire=fire,
        due=fire,
        tzdata=edition(trigger.schedule, trigger.calendar),
        previous_fire=last,
        fired=trigger.fired + instant.count,
        misfired=trigger.misfired + lost,
        state=trigger.state if fire is not None else "COMPLETE",
        finished_at=None if fire is not None else max(now, last),
    )
