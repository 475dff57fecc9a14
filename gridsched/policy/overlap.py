"""Overlap: what becomes of a run whose instant comes while another run of its job goes on.

The names are Temporal's. `disallow_concurrent` is Quartz's way, and another: there the trigger waits,
and what that makes late meets its misfire policy.

    allow_all     it runs all the same
    skip          it is left out
    buffer_one    it runs when the other has ended, unless one waits for that already
    buffer_all    it runs when the others have ended, in turn
    cancel_other  the other is cancelled, and it runs

Whether a run overlaps is decided when it is to start, not when it is claimed ahead of that. A run
holds the job's lock until it is over, retries and yields included.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from gridsched.model.firing import FINAL, Firing
from gridsched.model.job import Job, Overlap
from gridsched.model.trigger import Trigger

MAX_BUFFERED: Final = 1000
"""Runs of one job that wait for their turn, each with a record of its own."""

IN_TURN: Final = frozenset({"buffer_one", "buffer_all"})
"""Policies under which no run goes before one that waits."""


class Turn(NamedTuple):
    """What to do about the runs of one job that wait: which one starts now, which are skipped and
    why, and whether the one that holds the job is cancelled."""

    next: Firing | None
    skipped: tuple[tuple[Firing, str], ...] = ()
    cancels: bool = False


def overlap_of(trigger: Trigger, job: Job) -> Overlap:
    """The policy for the runs of a trigger; a job that disallows concurrent execution has none."""
    return "allow_all" if job.disallow_concurrent else trigger.overlap or job.overlap


def takes_turns(trigger: Trigger, job: Job) -> bool:
    """Is one instant claimed at a time, while nothing holds the job? Then what waits is due in the
    trigger, however much it is: where nothing of that may be lost to a misfire policy, buffer_all
    needs no records for it."""
    if job.disallow_concurrent:
        return True
    return overlap_of(trigger, job) == "buffer_all" and trigger.misfire == "IGNORE"


def runs_alone(firing: Firing, job: Job) -> bool:
    """Does the firing hold its job's lock while it runs?"""
    return job.disallow_concurrent or firing.overlap != "allow_all"


def order(firing: Firing) -> tuple[int, str]:
    """The order in which runs have their turn."""
    return firing.scheduled, firing.trigger


def turn(waiting: Iterable[Firing], holder: Firing | None) -> Turn:
    """What to do about the runs of one job that wait while `holder` has the job (None: nobody)."""
    skipped: list[tuple[Firing, str]] = []
    left, cancels = _superseding(sorted(waiting, key=order), holder, skipped)
    first = left.pop(0) if left and holder is None else None
    for policy, limit in (("buffer_one", 1), ("buffer_all", MAX_BUFFERED)):
        fresh = [firing for firing in left if firing.overlap == policy and not firing.has_run]
        surplus = fresh[limit:]
        skipped += [(firing, f"overlap: {limit} of its job waited already") for firing in surplus]
    return Turn(first, tuple(skipped), cancels)


def _superseding(
    waiting: Sequence[Firing], holder: Firing | None, skipped: list[tuple[Firing, str]]
) -> tuple[list[Firing], bool]:
    """Of those that cancel others the latest counts; the waiting ones without the others, and
    whether it cancels the holder."""
    cancelling = [firing for firing in waiting if firing.overlap == "cancel_other"]
    if not cancelling:
        return list(waiting), False
    latest = max([*cancelling, *([] if holder is None else [holder])], key=order)
    skipped += [(f, f"overlap: superseded by {latest.key}") for f in cancelling if f is not latest]
    left = [f for f in waiting if f.overlap != "cancel_other" or f is latest]
    return left, holder is not None and latest is not holder and holder.state not in FINAL
