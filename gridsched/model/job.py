"""A job: what to run, and how."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final, Literal, get_args

import msgspec

from gridsched.errors import InvalidJob, InvalidPolicy
from gridsched.model.dispatch import DispatchPolicy, check_policy
from gridsched.model.encoding import always
from gridsched.model.events import Delivery, EventTrigger
from gridsched.model.http import HttpTask, ServiceOperation, check_http, split_url
from gridsched.model.keys import DEFAULT_GROUP, job_key
from gridsched.model.retry import Retry, check_retry

DEFAULT_PRIORITY: Final = 5
"""Quartz's Trigger.DEFAULT_PRIORITY."""

UNTIL_DISCARDED: Final = "keep until discarded"
"""The retention of a job whose firings and results stay until somebody discards them."""


Task = HttpTask | ServiceOperation | Delivery
"""What a job may do instead of calling a function."""


Overlap = Literal["allow_all", "skip", "buffer_one", "buffer_all", "cancel_other"]
"""What becomes of a run whose instant comes while another one goes on (Temporal's names)."""


class Job(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What to run: a `target` ("package.module:function") with its `data` (JSON), or a `task`.

    durable              kept when its last trigger is gone
    requests_recovery    run again when the member that ran it died
    disallow_concurrent  never two runs at once in the whole cluster
    timeout              seconds a run may take; None: for ever, of a task `TOTAL_TIMEOUT`
    priority             of its triggers among those due at the same instant; higher first
    dispatch             on which nodes it runs; None: by the scheduler's dispatcher policy
    executor             "thread" or "process"; an `async def` target runs on the event loop
    overlap              what becomes of a run whose instant comes while another one goes on: it runs all
                         the same, is skipped, waits for it (at most one, or all of them), or cancels it
    persist_data         what a run that ends well leaves in `context.data` becomes the job's data;
                         use it with disallow_concurrent, or the last of several runs wins
    retention            seconds that its firings and results stay once they are final, or "keep until
                         discarded"; None: as long as the cluster keeps them
    events               published where their conditions hold on what a run returned
    submitted_at         epoch ms; set by the cluster
    left_by              the firing that last left something in `data`; set by the cluster
    """

    target: str = ""
    name: str = ""
    group: str = always(DEFAULT_GROUP)
    data: dict[str, Any] = {}
    description: str = ""
    durable: bool = False
    requests_recovery: bool = False
    disallow_concurrent: bool = False
    overlap: Overlap = "allow_all"
    persist_data: bool = False
    timeout: float | None = None
    priority: int = DEFAULT_PRIORITY
    retry: Retry | None = None
    dispatch: DispatchPolicy | None = None
    executor: Literal["thread", "process"] = "thread"
    retention: float | Literal["keep until discarded"] | None = None
    task: Task | None = None
    events: tuple[EventTrigger, ...] = ()
    submitted_at: int = 0
    left_by: str = ""

    @property
    def key(self) -> str:
        """The written key; InvalidKey where name or group cannot be one."""
        return job_key(self.group, self.name)


def check_job(job: Job) -> None:
    """InvalidJob or InvalidKey, saying which field is wrong, where the job cannot be accepted.

    Says nothing of whether the target exists or is allowed: that is for the node that runs it.
    """
    _ = job.key
    _check_what(job)
    if job.timeout is not None and not job.timeout > 0:
        raise InvalidJob(f"job {job.key}: timeout is {job.timeout!r}; it must be above 0 seconds")
    if job.executor not in ("thread", "process"):
        raise InvalidJob(f"job {job.key}: executor is {job.executor!r}; thread or process")
    _check_overlap(job)
    _check_retention(job)
    check_data(job.data, f"job {job.key}")
    if job.retry is not None:
        check_retry(job.retry, f"job {job.key}")
    if job.dispatch is not None:
        _check_dispatch(job.dispatch, f"job {job.key}")


def _check_dispatch(policy: DispatchPolicy, owner: str) -> None:
    try:
        check_policy(policy)
    except InvalidPolicy as error:
        raise InvalidJob(f"{owner}: dispatch: {error}") from None


def _check_overlap(job: Job) -> None:
    if job.overlap not in get_args(Overlap):
        raise InvalidJob(
            f"job {job.key}: overlap is {job.overlap!r}; one of {', '.join(get_args(Overlap))}"
        )
    if job.disallow_concurrent and job.overlap != "allow_all":
        raise InvalidJob(
            f"job {job.key} has disallow_concurrent and overlap {job.overlap!r}: each says what "
            "becomes of a run that would overlap another; choose one"
        )


def _check_retention(job: Job) -> None:
    retention = job.retention
    given = retention is None or retention == UNTIL_DISCARDED
    if not given and not (isinstance(retention, int | float) and 0 <= retention < math.inf):
        raise InvalidJob(
            f"job {job.key}: retention is {retention!r}; seconds from 0, or {UNTIL_DISCARDED!r}"
        )


def usual_name(job: Job) -> str:
    """The name of a job that was given none: its function's, its operation's, its URL's host."""
    match job.task:
        case ServiceOperation(operation=operation):
            return operation
        case HttpTask(url=url):
            return split_url(url).hostname or ""
        case Delivery(event=event):
            return event.name
        case None:
            _check_target(job.target)
            return job.target.rpartition(":")[2].rpartition(".")[2]


def _check_what(job: Job) -> None:
    if job.task is None:
        _check_target(job.target)
        return
    if job.target:
        raise InvalidJob(f"job {job.key} has a target and a task; one of them is what it does")
    if job.persist_data:
        raise InvalidJob(f"job {job.key}: persist_data is for functions; a task leaves no data")
    if job.executor == "process":
        raise InvalidJob(f"job {job.key}: executor is 'process'; a task runs in a thread")
    if isinstance(job.task, HttpTask):
        try:
            check_http(job.task)
        except InvalidJob as error:
            raise InvalidJob(f"job {job.key}: {error}") from None


def _check_target(target: str) -> None:
    if not _is_target(target):
        raise InvalidJob(f"job target {target!r} is not written package.module:function")


@lru_cache(maxsize=1024)
def _is_target(text: str) -> bool:
    module, colon, function = text.partition(":")
    names = [*module.split("."), *function.split(".")]
    return bool(colon) and all(name.isidentifier() for name in names)


def check_data(data: object, owner: str) -> None:
    """InvalidJob where `data` is not a JSON object."""
    try:
        _check_object(data, owner)
    except RecursionError:
        raise InvalidJob(f"{owner}: data is nested too deep, or holds itself") from None


def _check_object(data: object, owner: str) -> None:
    if not isinstance(data, dict):
        raise InvalidJob(f"{owner}: data is {type(data).__name__}; it must be a dict")
    for name, value in data.items():
        if not isinstance(name, str):
            raise InvalidJob(f"{owner}: data has the key {name!r}; keys must be text")
        _check_text(name, f"{owner}: the key {name!r} of data")
        _check_json(value, f"{owner}: data[{name!r}]")


def _check_text(text: str, where: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidJob(f"{where} is no text that UTF-8 holds: {error}") from None


def _check_json(value: object, where: str) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(value, where)
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            raise InvalidJob(f"{where} is {value}: outside the 64 bits that JSON peers hold")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidJob(f"{where} is {value}: JSON has no such number")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check_json(item, f"{where}[{index}]")
    elif isinstance(value, dict):
        _check_object(value, where)
    else:
        raise InvalidJob(
            f"{where} is {type(value).__name__}: only JSON may cross the grid "
            "(text, numbers, booleans, None, lists, dicts)"
        )
