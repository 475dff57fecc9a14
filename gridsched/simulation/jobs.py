"""The jobs of a simulation, or of a real cluster under chaos: they write down, outside the grid, that
they ran."""

from __future__ import annotations

import asyncio

from gridsched.jobs.context import JobContext, Yield
from gridsched.model.keys import firing_key
from gridsched.simulation.history import RECORD
from gridsched.simulation.loop import HOST


async def work(
    context: JobContext, seconds: float = 0.0, failures: int = 0, yields: int = 0
) -> int:
    """Runs for so long, fails on its first `failures` attempts, and yields so many times before it
    ends, each time with a checkpoint of how often it has; returns its attempt. Counts in its data how
    often it has ended well."""
    scheduled = round(context.scheduled_time.timestamp() * 1000)
    firing = firing_key(context.trigger_key, scheduled)
    record = RECORD.get()
    run = record.begin(firing, context.job_key, context.attempt, HOST.get())
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        record.end(run, "cancelled")
        raise
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
    record.end(run, "ok")
    return context.attempt
