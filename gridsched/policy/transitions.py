"""The state machine of a firing: each function gives the record that one step makes of another.

`now` and leases are ms; a lease says how long until somebody looks again at what has not moved on.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from gridsched.model.firing import Firing, FiringState, Leaves
from gridsched.model.job import Job
from gridsched.policy.jitter import retry_delay


class Judged(NamedTuple):
    """What a run made of its job's event triggers: the names of those that it published, and why a
    condition could not be judged."""

    events: tuple[str, ...] = ()
    error: str = ""


NOT_JUDGED: Final = Judged()

_SHORTEST_WAIT: Final = 1000
_LONGEST_WAIT: Final = 60_000
"""For how long (ms) a firing is put off."""

LONGEST: Final = 64
"""The most leases between two looks at a firing that nothing happens to."""


def start(firing: Firing, member: str, incarnation: str, now: int, lease: int) -> Firing:
    """ACQUIRED or REJECTED to EXECUTING on `member`."""
    return replace(
        firing,
        state="EXECUTING",
        member=member,
        incarnation=incarnation,
        started_at=now,
        due=now + lease,
        suspended=False,
    )


def progressed(firing: Firing, fraction: float, message: str) -> Firing:
    """A run says how far it has come."""
    return replace(firing, progress=fraction, message=message)


def checkpointed(firing: Firing, checkpoint: Any) -> Firing:
    """A run left something for the next one of its firing (JSON)."""
    return replace(firing, checkpoint=checkpoint)


def suspend(firing: Firing, seconds: float, now: int) -> Firing:
    """The run yielded: the same attempt goes on after so long, wherever there is room."""
    return replace(
        _again(firing, now + round(seconds * 1000)),
        suspended=True,
        progress=firing.progress,
        message=firing.message,
    )


def complete(
    firing: Firing,
    now: int,
    *,
    returned: bool,
    judged: Judged = NOT_JUDGED,
    leaves: Leaves | None = None,
) -> Firing:
    """The run ended well; `returned`: with a value, which goes to Job-Result. `judged`: what it made
    of its job's event triggers. It stays due while what it `leaves` in its job's data is not
    stored."""
    return replace(
        _end(firing, "COMPLETE", now),
        returned=returned,
        checkpoint=None,
        events=judged.events,
        event_error=judged.error,
        leaves=leaves,
        due=None if leaves is None else now,
    )


def waits(firing: Firing) -> bool:
    """Is it to be sent later than it was made or given back, by the sweep that finds it due?"""
    return firing.fire_at is not None and firing.due == firing.fire_at


def left(firing: Firing) -> Firing:
    """What its run leaves is stored."""
    return replace(firing, leaves=None, due=None)


def fail(firing: Firing, job: Job, error: str, now: int) -> Firing:
    """The run failed: tried again where the job's retry policy says so, FAILED otherwise."""
    retry = job.retry
    if retry is None or firing.attempt >= retry.attempts:
        return _end(firing, "FAILED", now, error)
    at = now + retry_delay(retry, firing.attempt, firing.key)
    return replace(_again(firing, at), attempt=firing.attempt + 1, error=error)


def cancel(firing: Firing, reason: str, now: int) -> Firing:
    """It will not run, or not to its end."""
    return _end(firing, "CANCELLED", now, reason)


def skip(firing: Firing, now: int, reason: str) -> Firing:
    """It is left out, for a reason that its record tells."""
    return _end(firing, "SKIPPED", now, reason)


def leave_out(firing: Firing, now: int, reason: str) -> Firing:
    """Another is to run in its place: one that has run already is cancelled, another skipped."""
    return cancel(firing, reason, now) if firing.has_run else skip(firing, now, reason)


def orphan(firing: Firing, job: Job | None, now: int) -> Firing:
    """Its member is gone while it ran: a new attempt if the job requests recovery, LOST otherwise."""
    error = f"member {firing.member} was gone while it ran"
    if job is not None and job.requests_recovery:
        return replace(_again(firing, now), attempt=firing.attempt + 1, error=error)
    return _end(firing, "LOST", now, error)


def wait_for_turn(firing: Firing, now: int) -> Firing:
    """Another run of its job goes on: it starts when that has ended, and is looked at until then. In
    a new round, so that no payload starts it out of turn."""
    return replace(_again(firing, now), in_turn=True)


def put_off(firing: Firing, now: int) -> Firing:
    """Where it was sent too many wait already: it waits in its record, longer the later it is. In a
    new round, so that no payload starts it before."""
    late = now - firing.scheduled
    return _again(firing, now + min(max(late, _SHORTEST_WAIT), _LONGEST_WAIT))


def reject(firing: Firing) -> Firing:
    """No member had room for it in time. It is still offered."""
    return replace(firing, state="REJECTED")


def unplaced(firing: Firing, reason: str, now: int, lease: int) -> Firing:
    """Its dispatcher policy leaves no node: sent to none until the nodes change."""
    shown = replace(firing, state="REJECTED", member="", error=reason)
    return renew(shown, max(now, firing.fire_at or firing.scheduled), lease)


def is_unplaced(firing: Firing) -> bool:
    """Was there no node that its dispatcher policy leaves?"""
    return firing.state == "REJECTED" and not firing.member


def renew(firing: Firing, now: int, lease: int) -> Firing:
    """Looked at and left as it is: the next look waits longer the longer the firing has been under
    way already, up to LONGEST leases."""
    under_way = now - max(firing.fire_at or firing.scheduled, firing.acquired_at)
    return replace(firing, due=now + min(max(lease, under_way), LONGEST * lease))


def send_again(firing: Firing, member: str, now: int, lease: int) -> Firing:
    """Sent to `member`, anew or for the first time after a retry, recovery or resume, or once there
    is a node that its dispatcher policy leaves."""
    if is_unplaced(firing):
        firing = replace(firing, state="ACQUIRED", error="")
    if firing.in_turn:  # it is late from now on only: a payload that is lost is soon missed
        firing = replace(firing, in_turn=False, fire_at=now)
    return replace(
        renew(firing, max(now, firing.fire_at or firing.scheduled), lease),
        member=member,
    )


def hand_back(firing: Firing, now: int) -> Firing:
    """Given back by a node that stops: due at once for whoever owns it now."""
    return replace(firing, due=now, member="")


def pause(firing: Firing) -> Firing:
    """Its trigger was paused before it started. It keeps its `due`: somebody looks now and then
    whether its trigger still is."""
    return replace(firing, state="PAUSED", in_turn=False)


def resume(firing: Firing, now: int) -> Firing:
    """Its trigger was resumed."""
    return _again(firing, max(now, firing.fire_at or firing.scheduled))


def _again(firing: Firing, at: int) -> Firing:
    return replace(
        firing,
        state="ACQUIRED",
        fire_at=at,
        due=at,
        round=firing.round + 1,
        in_turn=False,
        member="",
        incarnation="",
        started_at=None,
        progress=None,
        message="",
    )


def _end(firing: Firing, state: FiringState, now: int, error: str = "") -> Firing:
    return replace(
        firing,
        state=state,
        due=None,
        finished_at=now,
        error=error,
        forget_at=forget_at(firing, now),
    )


def forget_at(firing: Firing, now: int) -> int | None:
    """When a firing that is final now may go; None where it is kept until it is discarded."""
    return None if firing.retention is None else now + firing.retention
