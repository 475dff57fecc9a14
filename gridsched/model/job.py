"""A job: what to run, and how."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec

from gridsched.errors import InvalidJob
from gridsched.model.encoding import always
from gridsched.model.keys import DEFAULT_GROUP, job_key
from gridsched.model.retry import Retry, check_retry

DEFAULT_PRIORITY: Final = 5
"""Quartz's Trigger.DEFAULT_PRIORITY."""

UNTIL_DISCARDED: Final = "keep until discarded"
"""The retention of a job whose firings and results stay until somebody discards them."""


class Job(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What to run: a `target` ("package.module:function") with its `data` (JSON).

    durable              kept when its last trigger is gone
    requests_recovery    run again when the member that ran it died
    disallow_concurrent  never two runs at once in the whole cluster
    timeout              seconds a run may take; None: for ever
    priority             of its triggers among those due at the same instant; higher first
    executor             "thread" or "process"; an `async def` target runs on the event loop
    retention            seconds that its firings and results stay once they are final, or "keep until
                         discarded"; None: as long as the cluster keeps them
    submitted_at         epoch ms; set by the cluster
    """

    target: str
    name: str = ""
    group: str = always(DEFAULT_GROUP)
    data: dict[str, Any] = {}
    description: str = ""
    durable: bool = False
    requests_recovery: bool = False
    disallow_concurrent: bool = False
    timeout: float | None = None
    priority: int = DEFAULT_PRIORITY
    retry: Retry | None = None
    executor: Literal["thread", "process"] = "thread"
    retention: float | Literal["keep until discarded"] | None = None
    submitted_at: int = 0

    @property
    def key(self) -> str:
        """The written key; InvalidKey where name or group cannot be one."""
        return job_key(self.group, self.name)


def check_job(job: Job) -> None:
    """InvalidJob or InvalidKey, saying which field is wrong, where the job cannot be accepted.

    Says nothing of whether the target exists or is allowed: that is for the node that runs it.
    """
    if not _is_target(job.target):
        raise InvalidJob(f"job target {job.target!r} is not written package.module:function")
    _ = job.key
    if job.timeout is not None and not job.timeout > 0:
        raise InvalidJob(f"job {job.key}: timeout is {job.timeout!r}; it must be above 0 seconds")
    if job.executor not in ("thread", "process"):
        raise InvalidJob(f"job {job.key}: executor is {job.executor!r}; thread or process")
    _check_retention(job)
    check_data(job.data, f"job {job.key}")
    if job.retry is not None:
        check_retry(job.retry, f"job {job.key}")


def _check_retention(job: Job) -> None:
    retention = job.retention
    given = retention is None or retention == UNTIL_DISCARDED
    if not given and not (isinstance(retention, int | float) and 0 <= retention < math.inf):
        raise InvalidJob(
            f"job {job.key}: retention is {retention!r}; seconds from 0, or {UNTIL_DISCARDED!r}"
        )


@lru_cache(maxsize=1024)
def _is_target(text: str) -> bool:
    module, colon, function = text.partition(":")
    names = [*module.split("."), *function.split(".")]
    return bool(colon) and all(name.isidentifier() for name in names)


def check_data(data: object, owner: str) -> None:
    """InvalidJob where `data` is not a JSON object."""
    if not isinstance(data, dict):
        raise InvalidJob(f"{owner}: data is {type(data).__name__}; it must be a dict")
    for name, value in data.items():
        if not isinstance(name, str):
            raise InvalidJob(f"{owner}: data has the key {name!r}; keys must be text")
        _check_json(value, f"{owner}: data[{name!r}]")


def _check_json(value: object, where: str) -> None:
    if value is None or isinstance(value, str | bool):
        return
    if isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            raise InvalidJob(f"{where} is {value}: outside the 64 bits that JSON peers hold")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidJob(f"{where} is {value}: JSON has no such number")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check_json(item, f"{where}[{index}]")
    elif isinstance(value, dict):
        check_data(value, where)
    else:
        raise InvalidJob(
            f"{where} is {type(value).__name__}: only JSON may cross the grid "
            "(text, numbers, booleans, None, lists, dicts)"
        )
