"""A trigger: when its job fires, and how far it has come.

State machine (docs/architecture.md draws it):

    NORMAL --claimed, no fire left--> COMPLETE
    NORMAL <--pause / resume--> PAUSED
    COMPLETE <--pause / resume--> PAUSED, for what of it may still start
    NORMAL --its job is gone or its schedule cannot be computed--> ERROR
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import msgspec

from gridsched.model.dst import DstPolicy
from gridsched.model.encoding import always
from gridsched.model.job import Overlap
from gridsched.model.keys import DEFAULT_GROUP, trigger_key
from gridsched.model.weekdays import ALL_DAYS

FOREVER: Final = -1
"""Repeat count of a simple trigger that never ends (Quartz's REPEAT_INDEFINITELY)."""

WHEN_SUBMITTED: Final = 0
"""Start of a schedule that begins when it is submitted."""

TriggerState = Literal["NORMAL", "PAUSED", "COMPLETE", "ERROR"]
Misfire = Literal[
    "SMART",
    "IGNORE",
    "FIRE_NOW",
    "RESCHEDULE_NOW_WITH_EXISTING_REPEAT_COUNT",
    "RESCHEDULE_NOW_WITH_REMAINING_REPEAT_COUNT",
    "RESCHEDULE_NEXT_WITH_REMAINING_COUNT",
    "RESCHEDULE_NEXT_WITH_EXISTING_COUNT",
    "FIRE_ONCE_NOW",
    "DO_NOTHING",
]
"""What becomes of instants that nobody claimed in time: Quartz's misfire instructions, without its
MISFIRE_INSTRUCTION_ and _POLICY. `policy.misfire` says which kind of schedule takes which."""

Dialect = Literal["quartz", "unix"]
IntervalUnit = Literal["SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR"]
TimeUnit = Literal["SECOND", "MINUTE", "HOUR"]


class TimeOfDay(NamedTuple):
    """A local time of day, to the second (Quartz's TimeOfDay)."""

    hour: int
    minute: int = 0
    second: int = 0


class Once(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag="once"):
    """Fires once, at `at` (epoch ms; WHEN_SUBMITTED: at once)."""

    at: int


class Simple(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag="simple"):
    """Fires at `start` and every `interval` ms after it, `repeat_count` times more, before `end`.

    `start` may be WHEN_SUBMITTED.
    """

    start: int
    interval: int
    repeat_count: int = FOREVER
    end: int | None = None


class Cron(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag="cron"):
    """Fires when local time in `zone` (IANA) matches `expression`, from `start` to `end` inclusive."""

    expression: str
    zone: str = "UTC"
    start: int | None = None
    end: int | None = None
    dialect: Dialect = "quartz"
    dst: DstPolicy | None = None


class CalendarInterval(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    gc=False,
    cache_hash=True,
    tag="calendar_interval",
):
    """Fires at `start` and every `interval` units after it, before `end`.

    Up to HOUR a unit is a length of time. From DAY on it is one of the calendar in `zone` (IANA):
    every fire has the local time of day of `start`. A month too short for the day of `start` has its
    last day, and so, from there on, have the others at most (as in Quartz). `start` may be
    WHEN_SUBMITTED. `dst` None: once on each day (localtime.WALL_CLOCK).
    """

    start: int
    interval: int
    unit: IntervalUnit = "DAY"
    zone: str = "UTC"
    end: int | None = None
    dst: DstPolicy | None = None


class DailyTimeInterval(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    gc=False,
    cache_hash=True,
    tag="daily_time_interval",
):
    """Fires on `days_of_week` (1=SUN..7=SAT) at `start_time_of_day` and every `interval` units after
    it, up to `end_time_of_day` inclusive (None: all day): local times in `zone` (IANA). Nothing fires
    before `start` or after `end`.

    Within a day the interval is a length of time, whatever the clocks do; `dst` says which instants
    the two times of day are. None: a repeated hour is gone through twice, a time that is skipped is
    the first after the gap. After `repeat_count` runs more than one the trigger, not the schedule,
    has ended: as in Quartz, only runs count, neither excluded instants nor missed ones.
    """

    interval: int
    unit: TimeUnit = "MINUTE"
    start_time_of_day: TimeOfDay = TimeOfDay(0)
    end_time_of_day: TimeOfDay | None = None
    days_of_week: tuple[int, ...] = ALL_DAYS
    zone: str = "UTC"
    start: int | None = None
    end: int | None = None
    repeat_count: int = FOREVER
    dst: DstPolicy | None = None


Schedule = Once | Simple | Cron | CalendarInterval | DailyTimeInterval


class Trigger(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A schedule of one job, with its state. Instants are epoch ms.

    calendar       name of the calendar that excludes some of its instants; "": none
    priority       None: the job's
    jitter         seconds within which a run starts after its instant: as a function of the firing's
                   key, so that triggers of one schedule are spread out and every node finds the same
    catch_up       seconds: missed instants that are older are skipped, whatever the misfire
                   instruction says of the others; None: none is
    overlap        of the runs of a backfill; None: the job's
    since          where a backfill begins: what its schedule names before is none of its
    due            when somebody must look at it next; absent where nobody must
    next_fire      the next scheduled instant; None before it is accepted and after the last one
    tzdata         edition of the time zone data by which that was computed (202602 is 2026b); 0: it
                   needs none
    fired          instants claimed so far (Quartz's timesTriggered)
    misfired       instants that a misfire policy skipped or coalesced so far
    accepted       the schedule as it was accepted, where a misfire policy has shifted it since
    error          why it is in state ERROR, or why its last firing is sent to no node
    submission     id of the submission that made it: applying that one twice changes nothing
    """

    schedule: Schedule
    name: str = ""
    group: str = always(DEFAULT_GROUP)
    job: str = ""
    description: str = ""
    data: dict[str, Any] = {}
    misfire: Misfire = "SMART"
    calendar: str = ""
    priority: int | None = None
    jitter: float = 0.0
    catch_up: float | None = None
    overlap: Overlap | None = None
    since: int = 0
    state: TriggerState = always("NORMAL")
    due: int | None = None
    next_fire: int | None = None
    tzdata: int = 0
    previous_fire: int | None = None
    fired: int = 0
    misfired: int = 0
    accepted: Schedule | None = None
    error: str = ""
    submission: str = ""
    created_at: int = 0
    finished_at: int | None = None

    @property
    def key(self) -> str:
        """The written key; InvalidKey where name or group cannot be one."""
        return trigger_key(self.job, self.group, self.name)
