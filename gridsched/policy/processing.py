"""What a processing session says of a submission: Coherence's SubmissionState and listener events, as
functions of the records that the cluster holds."""

from __future__ import annotations

from typing import Final, Literal

from gridsched.model.firing import Firing
from gridsched.model.submission import Submission

ProcessingState = Literal[
    "INITIAL",
    "SUBMITTED",
    "ASSIGNED",
    "EXECUTING",
    "SUSPENDED",
    "RETRY",
    "DONE",
    "FAILED",
    "CANCELLED",
]
"""INITIAL    not in the grid
SUBMITTED  in the grid, and not claimed yet
ASSIGNED   sent to a member, and not started yet
SUSPENDED  it yielded, or its trigger is paused
RETRY      it failed, or its member was gone, and it is to start again
FAILED     refused, failed, lost with its member, or skipped by a misfire policy
"""

ENDED: Final = frozenset({"DONE", "FAILED", "CANCELLED"})
"""States that never change again."""

Event = Literal["started", "progress", "suspended", "done", "failed"]

_OF_FIRING: Final[dict[str, ProcessingState]] = {
    "REJECTED": "ASSIGNED",
    "PAUSED": "SUSPENDED",
    "EXECUTING": "EXECUTING",
    "COMPLETE": "DONE",
    "FAILED": "FAILED",
    "LOST": "FAILED",
    "SKIPPED": "FAILED",
    "CANCELLED": "CANCELLED",
}


def state(submission: Submission | None, firing: Firing | None) -> ProcessingState:
    """The state of what was submitted, by its records; the firing is the later one."""
    if firing is None:
        if submission is None:
            return "INITIAL"
        return "FAILED" if submission.state == "REJECTED" else "SUBMITTED"
    if firing.state != "ACQUIRED":
        return _OF_FIRING[firing.state]
    if firing.suspended:
        return "SUSPENDED"
    return "ASSIGNED" if firing.attempt == 1 else "RETRY"


def events(before: Firing | None, after: Firing | None, now: ProcessingState) -> list[Event]:
    """What a listener is told when the record `before` is followed by `after`, which is in state
    `now`. Steps that went by between two looks are told where the record shows them; a listener
    hears of a start before it hears of an end."""
    told: list[Event] = []
    if after is not None and after.started_at is not None and _run(before) != _run(after):
        told.append("started")
    if after is not None and after.progress is not None and _said(before) != _said(after):
        told.append("progress")
    if now == "SUSPENDED" and (before is None or _waits(before) != _waits(after)):
        told.append("suspended")
    if now == "DONE":
        told.append("done")
    elif now in ENDED:
        told.append("failed")
    return told


def _run(firing: Firing | None) -> tuple[int, int | None] | None:
    return None if firing is None else (firing.round, firing.started_at)


def _said(firing: Firing | None) -> tuple[float | None, str] | None:
    return None if firing is None else (firing.progress, firing.message)


def _waits(firing: Firing | None) -> tuple[str, int] | None:
    return None if firing is None else (firing.state, firing.round)
