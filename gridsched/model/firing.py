"""A firing: one scheduled instant of one trigger, and what became of it. Its key is the fence.

State machine (docs/architecture.md draws it):

    ACQUIRED --started--> EXECUTING --> COMPLETE | FAILED | LOST | CANCELLED
       ^  ^--retry, recovery, yield--'
       |<--pause / resume--> PAUSED
       |--waited past the dispatch timeout--> REJECTED --started--> EXECUTING
       |<--its dispatcher policy leaves no node, then one--> REJECTED
       '--> CANCELLED
    SKIPPED is made final at once: a range of instants that a misfire policy left out.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from gridsched.model.caches import RETENTION_MS
from gridsched.model.encoding import always
from gridsched.model.job import DEFAULT_PRIORITY, Overlap
from gridsched.model.keys import firing_key

FiringState = Literal[
    "ACQUIRED",
    "REJECTED",
    "PAUSED",
    "EXECUTING",
    "COMPLETE",
    "FAILED",
    "CANCELLED",
    "SKIPPED",
    "LOST",
]

STARTABLE: Final = frozenset({"ACQUIRED", "REJECTED"})
"""States from which a member may start the firing."""

UNFINISHED: Final = ("ACQUIRED", "REJECTED", "EXECUTING", "PAUSED")
"""States in which a firing is still to run, or runs."""

FINAL: Final = frozenset({"COMPLETE", "FAILED", "CANCELLED", "SKIPPED", "LOST"})
"""States that never change again."""


class Leaves(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a run leaves in its job's data: entries set, and names of those that it removed."""

    data: dict[str, Any] = {}
    removed: tuple[str, ...] = ()


class Firing(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One scheduled instant of one trigger. Instants are epoch ms.

    due          when somebody must look at it next; absent once final or paused
    fire_at      when it is to start, where that is not `scheduled` (retry, recovery, resume)
    attempt      1 for the first run, counted up by retry and recovery
    returned     its run returned something: Job-Result holds it, or is about to
    round        counted up whenever the firing is sent out anew (retry, recovery, resume): a
                 payload of an earlier round may not start it
    member       the node it was sent to, then the one that runs or ran it; "" while it is sent to none
    incarnation  of that node: a restarted node of the same name is another
    progress     how far its run has come, 0 to 1, with its message; None where it did not say
    checkpoint   what its run left for the next one of it (JSON); None: nothing
    suspended    its run yielded, and it waits to go on
    events       names of the events that its run published
    event_error  why a condition could not be judged on what its run returned
    retention    how long (ms) it stays once it is final; None: until it is discarded
    forget_at    when it may go; absent until it is final, and where it is kept
    overlap      what becomes of it where another run of its job goes on when it is to start
    in_turn      it waits until that one has ended: it is due all the while
    leaves       what its run leaves in its job's data, until that is stored: so long it is due
    until, count the last instant and the number of those that a misfire policy put into this one
                 record, as one run (coalesced) or none (SKIPPED)
    """

    trigger: str
    scheduled: int
    state: FiringState = always("ACQUIRED")
    due: int | None = None
    fire_at: int | None = None
    job: str = ""
    priority: int = DEFAULT_PRIORITY
    attempt: int = 1
    round: int = 0
    member: str = always("")
    incarnation: str = ""
    acquired_at: int = 0
    acquired_by: str = ""
    started_at: int | None = None
    finished_at: int | None = None
    returned: bool = False
    error: str = ""
    progress: float | None = None
    message: str = ""
    checkpoint: Any = None
    suspended: bool = False
    events: tuple[str, ...] = ()
    event_error: str = ""
    retention: int | None = RETENTION_MS
    forget_at: int | None = None
    overlap: Overlap = "allow_all"
    in_turn: bool = False
    leaves: Leaves | None = None
    until: int | None = None
    count: int = 1

    @property
    def has_run(self) -> bool:
        """Has it run before: does it retry, is it recovered, or has it yielded?"""
        return self.attempt > 1 or self.suspended

    @property
    def key(self) -> str:
        return firing_key(self.trigger, self.scheduled)

    @property
    def startable(self) -> bool:
        """May a member start it?"""
        return self.state in STARTABLE


class Payload(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What travels in an execution queue: the firing's record as it was sent, with all that its
    run needs. `firing` and `job` are JSON as stored, so that the fence can compare bytes."""

    firing: msgspec.Raw
    job: msgspec.Raw
    data: dict[str, Any] = {}


class Result(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the run of a firing returned (JSON). Instants are epoch ms.

    scheduled    the firing's scheduled instant
    forget_at    when it may go; absent: kept
    drained_by   who has drained it: nobody else is given it any more
    """

    job: str
    firing: str
    scheduled: int
    finished_at: int
    value: Any = None
    forget_at: int | None = None
    drained_by: str = ""
