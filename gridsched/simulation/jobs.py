"""The jobs of a simulation, or of a real cluster under chaos: they write down, outside the grid, that
they ran, and so do the subscribers of their events."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Coroutine
from typing import Any, Final

from gridsched.errors import DeliveryFailed
from gridsched.jobs.context import JobContext, Yield
from gridsched.model.events import Delivery
from gridsched.model.keys import firing_key
from gridsched.policy.subscribers import MAILTO
from gridsched.simulation.history import RECORD, Run
from gridsched.simulation.loop import HOST

TARGET: Final = "gridsched.simulation.jobs:work"
"""The job that simulations run, as a coroutine or in a process."""

THREAD_TARGET: Final = "gridsched.simulation.jobs:work_in_thread"
"""The same, in a thread."""

LEVELS: Final = 10
"""Results have a level from 0 up to below this."""

REFUSALS: Final = {"well": 0, "busy": 2, "hung": 0, "away": 10**9}
"""The subscribers, with how many times each refuses an event."""

SUBSCRIBERS: Final = tuple(f"{MAILTO}{name}@simulated.example" for name in REFUSALS)
"""Whom events are told: one takes them, one is busy at first, one keeps its first caller waiting
until nobody waits any more, and one never takes any."""

_MAILING: Final = 0.05
_HANGING: Final = 10_000.0
"""Seconds that a subscriber takes, and that the one that hangs does the first time."""


async def work(
    context: JobContext, seconds: float = 0.0, failures: int = 0, yields: int = 0
) -> dict[str, int]:
    """Runs for so long, fails on its first `failures` attempts, and yields so many times before it
    ends, each time with a checkpoint of how often it has; returns its attempt, and a level that
    looks like chance. Counts in its data how often it has ended well."""
    record, run = RECORD.get(), begun(context)
    await _sleep(seconds, run)
    if context.attempt <= failures:
        record.end(run, "failed")
        raise RuntimeError(f"attempt {context.attempt} fails on purpose")
    done = context.last_checkpoint or 0
    if done < yields:
        context.checkpoint(done + 1)
        record.end(run, "yielded")
        raise Yield(seconds=1.0)
    if "count" in context.data:
        context.data["count"] += 1
    level = zlib.crc32(f"{run.firing} {run.attempt}".encode()) % LEVELS
    result = {"attempt": context.attempt, "level": level}
    record.end(run, "ok", result)
    return result


def work_in_thread(
    context: JobContext, seconds: float = 0.0, failures: int = 0, yields: int = 0
) -> Coroutine[Any, Any, dict[str, int]]:
    """`work`, for a simulated thread to carry out."""
    return _until_cancelled(context, work(context, seconds, failures, yields))


def tell(delivery: Delivery, context: JobContext) -> Coroutine[Any, Any, dict[str, str]]:
    """Tell a subscriber of an event, for a simulated thread to carry out."""
    return _until_cancelled(context, _mail(delivery, context))


async def _mail(delivery: Delivery, context: JobContext) -> dict[str, str]:
    record, run = RECORD.get(), begun(context)
    address = delivery.subscriber.removeprefix(MAILTO)
    name = name_of(delivery.subscriber)
    hangs = name == "hung" and context.attempt == 1
    await _sleep(_HANGING if hangs else _MAILING, run)
    if context.attempt <= REFUSALS[name]:
        record.end(run, "failed")
        raise DeliveryFailed(f"mail to {address}: refused on purpose")
    record.end(run, "ok")
    return {"mailed": address}


def name_of(subscriber: str) -> str:
    """Which of `SUBSCRIBERS` it is, in a word."""
    return subscriber.removeprefix(MAILTO).partition("@")[0]


def begun(context: JobContext) -> Run:
    """Write down that the run of this context has started."""
    scheduled = round(context.scheduled_time.timestamp() * 1000)
    firing = firing_key(context.trigger_key, scheduled)
    return RECORD.get().begin(firing, context.job_key, context.attempt, HOST.get())


async def _sleep(seconds: float, run: Run) -> None:
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        RECORD.get().end(run, "cancelled")
        raise


async def _until_cancelled(context: JobContext, doing: Coroutine[Any, Any, Any]) -> Any:
    """A thread cannot be ended from outside: what runs in it hears that nobody waits for it."""
    task = asyncio.create_task(doing)

    def end() -> None:
        task.cancel()

    context.on_cancel(end)
    return await task
