"""A submission: one command to the cluster, applied by the node that owns its job's partition."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from gridsched.model.calendar import Calendar
from gridsched.model.encoding import always
from gridsched.model.groups import GroupKind
from gridsched.model.job import Job, Overlap
from gridsched.model.trigger import Trigger

SubmissionState = Literal["NEW", "ACCEPTED", "REJECTED"]


class ScheduleJob(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag="schedule"):
    """Store the job (where given) and the triggers (where any).

    `unique`: what is there already stays as it is (the seed's scheduleJobUnique).
    """

    job: Job | None = None
    triggers: tuple[Trigger, ...] = ()
    unique: bool = False


class Pause(msgspec.Struct, frozen=True, tag="pause"):
    """Pause one trigger, or every trigger of a job."""

    key: str


class Resume(msgspec.Struct, frozen=True, tag="resume"):
    """Resume one trigger, or every trigger of a job."""

    key: str


class PauseGroup(msgspec.Struct, frozen=True, tag="pause_group"):
    """Pause the triggers whose group, or whose job's group, a glob matches; those that are added
    to such a group later start paused."""

    pattern: str
    of: GroupKind = "triggers"


class ResumeGroup(msgspec.Struct, frozen=True, tag="resume_group"):
    """Resume the triggers whose group, or whose job's group, a glob matches."""

    pattern: str
    of: GroupKind = "triggers"


class Delete(msgspec.Struct, frozen=True, tag="delete"):
    """Delete a job with its triggers, or unschedule one trigger."""

    key: str


class Fire(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag="fire"):
    """Fire a job now, once, with `data` over its own; a trigger's key adds that trigger's data."""

    key: str
    data: dict[str, Any] = {}


class Backfill(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag="backfill"):
    """Run every instant of a trigger's schedule from `start` up to `end` (epoch ms, not included).
    `overlap` None: one after the other."""

    key: str
    start: int
    end: int
    overlap: Overlap | None = None


class CancelFiring(msgspec.Struct, frozen=True, tag="cancel"):
    """Cancel a firing that has not ended, or the next one of a trigger before it is claimed."""

    key: str


class Discard(msgspec.Struct, frozen=True, tag="discard"):
    """Remove a firing and its result; one that has not ended is cancelled first."""

    key: str


class StoreCalendar(
    msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag="store_calendar"
):
    """Store a calendar. One of that name is replaced where `override` says so; the next fires of
    the triggers that use it are computed anew (Quartz's addCalendar with updateTriggers). `unique`:
    one that is there already stays as it is."""

    name: str
    calendar: Calendar
    override: bool = False
    unique: bool = False


class DeleteCalendar(msgspec.Struct, frozen=True, tag="delete_calendar"):
    """Delete a calendar that no trigger and no other calendar uses."""

    name: str


Command = (
    ScheduleJob
    | Pause
    | Resume
    | PauseGroup
    | ResumeGroup
    | Delete
    | Fire
    | Backfill
    | CancelFiring
    | Discard
    | StoreCalendar
    | DeleteCalendar
)


class Submission(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A command with its answer. `job` is the written key it is partitioned by.

    keep         it is never forgotten: what is submitted once in a cluster's life
    forget_at    when the answer may go, though its client never collected it (epoch ms)

    The command of an accepted one is dropped: it has become what the stores hold.
    """

    id: str
    job: str
    command: Command | None
    state: SubmissionState = always("NEW")
    created_at: int = 0
    error: str = ""
    keep: bool = False
    decided_at: int | None = None
    forget_at: int | None = None
    decided_by: str = ""
