"""From a job to what its run calls, and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from gridsched.jobs.context import JobContext
from gridsched.jobs.delivery.deliverer import Deliverer
from gridsched.jobs.http.sender import HttpSender
from gridsched.jobs.targets import Targets
from gridsched.model.data_service import DataService
from gridsched.model.events import Delivery
from gridsched.model.http import TOTAL_TIMEOUT, HttpTask, ServiceOperation
from gridsched.model.job import Job
from gridsched.policy.catalogue import as_request

Place = Literal["loop", "thread", "process", "delivery"]
"""On the node's event loop, in one of its threads, in a process of its own, or in a thread for
deliveries: subscribers that hang must not take the threads that jobs need."""


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

    def __init__(
        self,
        targets: Targets,
        services: Sequence[DataService],
        sender: HttpSender,
        deliverer: Deliverer,
    ) -> None:
        self._targets = targets
        self._services = {service.name: service for service in services}
        self._sender = sender
        self._deliverer = deliverer

    def of(self, job: Job) -> Runnable:
        """What the job's runs call; InvalidJob, saying why, where this node may or can not run it."""
        match job.task:
            case None:
                return self._of_function(job)
            case HttpTask() | ServiceOperation():
                return self._of_request(job, as_request(job.task, self._services))
            case Delivery():
                return self._of_delivery(job, job.task)

    def check(self, job: Job) -> None:
        """InvalidJob, saying why, where this node will not run the job, or tell whom its events are
        for: said when it is submitted. What is to be delivered waits for a node that can."""
        self._deliverer.check(job)
        match job.task:
            case None:
                self._targets.resolve(job.target)
            case HttpTask() | ServiceOperation():
                self._sender.check(as_request(job.task, self._services))

    def _of_function(self, job: Job) -> Runnable:
        target = self._targets.resolve(job.target)
        place: Place = "loop" if target.is_coroutine else "thread"
        if job.executor == "process":
            place = "process"
        return Runnable(place, target.function, target.arguments, job.timeout)

    def _of_delivery(self, job: Job, task: Delivery) -> Runnable:
        return Runnable(
            "delivery",
            self._deliverer.deliver,
            lambda context: {"delivery": task, "context": context},
            job.timeout or TOTAL_TIMEOUT,
        )

    def _of_request(self, job: Job, task: HttpTask) -> Runnable:
        return Runnable(
            "thread",
            self._sender.send,
            lambda context: {"task": task, "context": context},
            job.timeout or TOTAL_TIMEOUT,
        )
