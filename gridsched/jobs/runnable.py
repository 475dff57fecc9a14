"""From a job to what its run calls, and where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from gridsched.jobs.context import JobContext
from gridsched.jobs.targets import Targets
from gridsched.model.job import Job

Place = Literal["loop", "thread", "process"]
"""On the node's event loop, in one of its threads, or in a process of its own."""


class Runnable(NamedTuple):
    """What the runs of a job call: `function` with what `arguments` makes of their context.

    timeout  seconds that a run may take; None: for ever
    """

    place: Place
    function: Callable[..., Any]
    arguments: Callable[[JobContext], dict[str, Any]]
    timeout: float | None


class Runnables:
    """Says what a job of any kind runs on this node."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets

    def of(self, job: Job) -> Runnable:
        """What the job's runs call; InvalidJob, saying why, where this node may or can not run it."""
        target = self._targets.resolve(job.target)
        place: Place = "loop" if target.is_coroutine else "thread"
        if job.executor == "process":
            place = "process"
        return Runnable(place, target.function, target.arguments, job.timeout)
