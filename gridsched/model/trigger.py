"""A trigger: when its job fires, and how far it has come.

State machine (docs/architecture.md draws it):

    NORMAL --claimed, no fire left--> COMPLETE
    NORMAL <--pause / resume--> PAUSED
    NORMAL --its job is gone or its schedule cannot be computed--> ERROR
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from gridsched.model.encoding import always
from gridsched.model.keys import DEFAULT_GROUP, trigger_key

FOREVER: Final = -1
"""Repeat count of a simple trigger that never ends (Quartz's REPEAT_INDEFINITELY)."""

WHEN_SUBMITTED: Final = 0
"""Start of a schedule that begins when it is submitted."""

TriggerState = Literal["NORMAL", "PAUSED", "COMPLETE", "ERROR"]
Misfire = Literal["SMART", "IGNORE"]
"""What becomes of instants that nobody claimed in time (Quartz's misfire instructions)."""

Dialect = Literal["quartz", "unix"]


class Once(msgspec.Struct, frozen=True, omit_defaults=True, tag="once"):
    """Fires once, at `at` (epoch ms; WHEN_SUBMITTED: at once)."""

    at: int


class Simple(msgspec.Struct, frozen=True, omit_defaults=True, tag="simple"):
    """Fires at `start` and every `interval` ms after it, `repeat_count` times more, before `end`.

    `start` may be WHEN_SUBMITTED.
    """

    start: int
    interval: int
    repeat_count: int = FOREVER
    end: int | None = None


class Cron(msgspec.Struct, frozen=True, omit_defaults=True, tag="cron"):
    """Fires when local time in `zone` (IANA) matches `expression`, from `start` to `end` inclusive."""

    expression: str
    zone: str = "UTC"
    start: int | None = None
    end: int | None = None
    dialect: Dialect = "quartz"


Schedule = Once | Simple | Cron


class Trigger(msgspec.Struct, frozen=True, omit_defaults=True):
    """A schedule of one job, with its state. Instants are epoch ms.

    priority       None: the job's
    due            when somebody must look at it next; absent where nobody must
    next_fire      the next scheduled instant; None before it is accepted and after the last one
    fired          instants claimed so far (Quartz's timesTriggered)
    misfired       instants that a misfire policy skipped or coalesced so far
    submission     id of the submission that made it: applying that one twice changes nothing
    """

    schedule: Schedule
    name: str = ""
    group: str = always(DEFAULT_GROUP)
    job: str = ""
    description: str = ""
    data: dict[str, Any] = {}
    misfire: Misfire = "SMART"
    priority: int | None = None
    state: TriggerState = always("NORMAL")
    due: int | None = None
    next_fire: int | None = None
    previous_fire: int | None = None
    fired: int = 0
    misfired: int = 0
    error: str = ""
    submission: str = ""
    created_at: int = 0
    finished_at: int | None = None

    @property
    def key(self) -> str:
        """The written key; InvalidKey where name or group cannot be one."""
        return trigger_key(self.job, self.group, self.name)
