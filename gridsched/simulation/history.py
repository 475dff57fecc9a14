"""What happened in a simulation, or on a real cluster, told from outside the grid: what the checker
judges.

Every instant is epoch ms on the true clock, which no host's skew touches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from gridsched.model.calendar import Calendar
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.model.trigger import Trigger

CommandKind = Literal[
    "schedule",
    "replace",
    "pause",
    "resume",
    "delete",
    "fire",
    "cancel",
    "cancel_next",
    "discard",
    "calendar",
    "pause_group",
    "resume_group",
]
"""What users ask for. The key of a command about a group is the name of a group of triggers, or of
jobs."""

Outcome = Literal["ok", "failed", "cancelled", "yielded"]
Answer = Literal["accepted", "rejected", "unknown"]


@dataclass(slots=True)
class Run:
    """One run of a job's function, as the function itself saw it. `ended` None: it never came to its
    end, because its host died or froze or nobody waited for it any more. `value` is what it
    returned."""

    firing: str
    job: str
    attempt: int
    host: str
    started: int
    ended: int | None = None
    outcome: Outcome | None = None
    value: Any = None


class Command(NamedTuple):
    """What a user asked for, and the answer. "unknown": it may or may not have been applied. `firing` is
    one that is discarded, which had ended, as it was read before."""

    kind: CommandKind
    key: str
    sent: int
    answered: int
    answer: Answer
    job: Job | None = None
    trigger: Trigger | None = None
    calendar: Calendar | None = None
    firing: Firing | None = None

    def made(self, trigger: Trigger) -> bool:
        """Was it this that the trigger, as it was read, had last been scheduled by?"""
        return self.sent <= trigger.created_at <= self.answered


class Trouble(NamedTuple):
    """A fault of a host or of the grid, and how long it lasted. `host` "" is the grid itself."""

    kind: str
    host: str
    since: int
    until: int


class Written(NamedTuple):
    """A change of one entry of a map: by whom ("" is no node), its JSON before and after, b"" for
    none."""

    at: int
    host: str
    map: str
    key: str
    old: bytes
    new: bytes


@dataclass
class Record:
    """What is written down while a simulation runs; `now` is the true clock. `written` holds the
    changes of the keys that were asked for."""

    now: Callable[[], int]
    runs: list[Run] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)

    def begin(self, firing: str, job: str, attempt: int, host: str) -> Run:
        """A run has started."""
        run = Run(firing, job, attempt, host, self.now())
        self.runs.append(run)
        return run

    def end(self, run: Run, outcome: Outcome, value: Any = None) -> None:
        """It came to this end."""
        run.ended, run.outcome, run.value = self.now(), outcome, value


RECORD: Final[ContextVar[Record]] = ContextVar("RECORD")
"""Where the jobs write down that they ran."""


class Bounds(NamedTuple):
    """What the checker holds the cluster to (ms).

    look_ahead, threshold, session_timeout   the cluster's own settings
    skew       the most that any host's clock was wrong
    settle     how long after the faults' end everything is right again
    lateness   how late a run may start once it is
    threads    how many subscribers a host tells at once
    entry      how long a started run may take until its function is entered and looks at the clock
    call       the longest that one call to the grid takes
    """

    look_ahead: int
    threshold: int
    session_timeout: int
    skew: int
    settle: int
    lateness: int
    threads: int
    entry: int = 0
    call: int = 0


class History(NamedTuple):
    """All that happened: what was asked, what ran, what went wrong, and the stores at its end.

    unanswered  the submissions that no node has applied, with when they were made
    calm_since  when the last fault was over; `ended_at` is when the stores were read
    failures    defects that the nodes themselves noticed: steps of services that raised
    """

    record: Record
    firings: Sequence[Firing]
    triggers: Mapping[str, Trigger]
    jobs: Mapping[str, Job]
    locks: Mapping[str, str]
    unanswered: Mapping[str, int]
    calm_since: int
    ended_at: int
    bounds: Bounds
    failures: Sequence[str] = ()
