"""The self-check: records in a form in which nobody would ever look at them again.

Every step of the scheduler leaves a record that says who is to look at it next, and when. One that
does not was left by a defect, by a clock that was far out, or by a hand, and no law explains it.
"""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from msgspec.structs import replace

from gridsched.model.firing import FINAL, Firing
from gridsched.model.job import Job
from gridsched.model.trigger import Trigger
from gridsched.policy.transitions import LONGEST

V = TypeVar("V")


class Oddity(NamedTuple, Generic[V]):
    """What is odd about a record, and the record as it should be; None where only a person can tell."""

    problem: str
    mended: V | None = None


def odd_trigger(trigger: Trigger, *, job_there: bool) -> Oddity[Trigger] | None:
    """What no law explains about a trigger; None where all is well."""
    state, fire = trigger.state, trigger.next_fire
    if not job_there and state != "ERROR":
        problem = f"its job {trigger.job} is gone"
        return Oddity(problem, replace(trigger, state="ERROR", due=None, error=problem))
    if state != "NORMAL":
        return None if trigger.due is None else _due_though(trigger)
    if fire is None:
        return Oddity("it is NORMAL, and has no next fire")
    if trigger.previous_fire is not None and fire <= trigger.previous_fire:
        return Oddity("its next fire is not after its last one")
    if trigger.due != fire:
        return Oddity("it is not due at its next fire", replace(trigger, due=fire))
    return None


def odd_firing(firing: Firing, now: int, lease: int) -> Oddity[Firing] | None:
    """What no law explains about a firing; None where all is well. `lease` in ms."""
    if firing.state in FINAL:
        return None if firing.due is None or firing.leaves is not None else _due_though(firing)
    if firing.due is None:
        return Oddity(
            f"it is {firing.state}, and nobody is to look at it", replace(firing, due=now)
        )
    latest = max(now, firing.fire_at or firing.scheduled) + (LONGEST + 1) * lease
    if firing.due > latest:
        days = (firing.due - now) / 86_400_000
        return Oddity(f"nobody is to look at it for {days:.1f} days", replace(firing, due=now))
    return None


def is_left_over(job: Job, now: int, lease: int, *, used: bool) -> bool:
    """Should a job that has no trigger and no firing (`used`) have gone with its last trigger?"""
    return not (used or job.durable) and job.submitted_at < now - lease


R = TypeVar("R", Trigger, Firing)


def _due_though(record: R) -> Oddity[R]:
    return Oddity(f"it is {record.state}, and due all the same", replace(record, due=None))
