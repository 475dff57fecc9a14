"""One run of one firing on this node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from gridsched.jobs.context import JobContext, Progress
from gridsched.jobs.runnable import Runnable
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.stores.record import Record


class Held(NamedTuple):
    """A payload that this node has in hand: the firing as it was sent, and what its run needs.

    `deadline` is when it starts, in seconds on the monotonic clock.
    """

    deadline: float
    rank: int
    serial: int
    firing: Record[Firing]
    job: Job
    data: dict[str, Any]


class Run:
    """A firing that this node runs: from EXECUTING until its outcome is handed to the finisher."""

    __slots__ = ("context", "firing", "job", "over", "progress", "runnable", "timer", "told")

    def __init__(self, firing: Record[Firing], job: Job, data: dict[str, Any]) -> None:
        self.firing = firing
        self.job = job
        self.context = JobContext(firing.value, data, self.report)
        self.progress: Progress | None = None
        self.told: Progress | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.runnable: Runnable | None = None
        self.over = False

    def report(self, progress: Progress) -> None:
        """Take what the job says of its progress; called from any thread."""
        self.progress = progress


class Ended(NamedTuple):
    """How a run ended: with a value, or with the text of an error."""

    run: Run
    value: Any
    error: str


Deliver = Callable[[Run, Any, BaseException | None], None]
"""Takes a run's end on the event loop: its value, or what it raised."""
