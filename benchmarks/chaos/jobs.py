"""The jobs of the simulation on real machines: on the event loop, in threads and in processes.

Whichever process of a host runs them, they write to the record that its node named.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Coroutine
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import urlencode

from msgspec.structs import replace

from benchmarks.chaos.record import WrittenRecord, WrittenRun
from gridsched.jobs.context import JobContext
from gridsched.model.events import Delivery
from gridsched.model.job import Job
from gridsched.simulation import jobs
from gridsched.simulation.drawing import draw_job
from gridsched.simulation.history import RECORD
from gridsched.simulation.jobs import SUBSCRIBERS, TARGET, THREAD_TARGET, name_of
from gridsched.simulation.loop import HOST

WORK: Final = "benchmarks.chaos.jobs:work"
"""Runs as a coroutine, or in a process."""

WORK_IN_THREAD: Final = "benchmarks.chaos.jobs:work_in_thread"

_TARGETS: Final = {TARGET: WORK, THREAD_TARGET: WORK_IN_THREAD}

_FILE: Final = "GRIDSCHED_CHAOS_RUNS"
_HOST: Final = "GRIDSCHED_CHAOS_HOST"


def draw(url: str, random: Random, number: int) -> Job:
    """The job that a simulation would have drawn, for real machines, with subscribers at `url`."""
    job = draw_job(random, number)
    there = {subscriber: f"{url}/{name_of(subscriber)}" for subscriber in SUBSCRIBERS}
    events = tuple(
        replace(event, subscribers=tuple(there[each] for each in event.subscribers))
        for event in job.events
    )
    return replace(job, target=_TARGETS[job.target], events=events)


def write_as(host: str, runs: Path) -> None:
    """Have what runs in this process, and in those that it starts, written to this file, as of this
    host."""
    os.environ[_HOST], os.environ[_FILE] = host, str(runs)
    record()


@cache
def record() -> WrittenRecord:
    """The record of this process."""
    return WrittenRecord(Path(os.environ[_FILE]))


def host() -> str:
    """The host that this process is of."""
    return os.environ[_HOST]


def _enter() -> None:
    """Threads and processes start with a context of their own."""
    RECORD.set(record())
    HOST.set(host())


async def work(
    context: JobContext, seconds: float = 0.0, failures: int = 0, yields: int = 0
) -> dict[str, int]:
    """See `gridsched.simulation.jobs.work`."""
    _enter()
    return await jobs.work(context, seconds, failures, yields)


def work_in_thread(
    context: JobContext, seconds: float = 0.0, failures: int = 0, yields: int = 0
) -> dict[str, int]:
    """`work`, which ends as soon as it hears that nobody waits for it any more."""
    doing = work(context, seconds, failures, yields)
    return asyncio.run(_until_cancelled(context, doing))


async def _until_cancelled(
    context: JobContext, doing: Coroutine[Any, Any, dict[str, int]]
) -> dict[str, int]:
    loop, task = asyncio.get_running_loop(), asyncio.create_task(doing)

    def end() -> None:
        with contextlib.suppress(RuntimeError):  # it has ended, and its loop is closed
            loop.call_soon_threadsafe(task.cancel)

    context.on_cancel(end)
    return await task


def tell(deliver: Callable[..., Any], delivery: Delivery, context: JobContext) -> Any:
    """Tell a subscriber by a request that names the run: the subscriber writes down how it ends."""
    _enter()
    run = jobs.begun(context)
    assert isinstance(run, WrittenRun)
    asked = urlencode({"run": run.id, "attempt": run.attempt})
    return deliver(replace(delivery, subscriber=f"{delivery.subscriber}?{asked}"), context)
