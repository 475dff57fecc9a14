"""The jobs that a simulation runs: they write down, outside the grid, that they ran."""

from __future__ import annotations

import asyncio

from gridsched.jobs.context import JobContext
from gridsched.model.keys import firing_key
from gridsched.simulation.history import RECORD, Run
from gridsched.simulation.loop import HOST


async def work(context: JobContext, seconds: float = 0.0, failures: int = 0) -> int:
    """Runs for so long and fails on its first `failures` attempts; returns its attempt."""
    scheduled = round(context.scheduled_time.timestamp() * 1000)
    firing = firing_key(context.trigger_key, scheduled)
    record = RECORD.get()
    run = Run(firing, context.job_key, context.attempt, HOST.get(), record.now())
    record.runs.append(run)
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        run.end("cancelled", record.now())
        raise
    if context.attempt <= failures:
        run.end("failed", record.now())
        raise RuntimeError(f"attempt {context.attempt} fails on purpose")
    run.end("ok", record.now())
    return context.attempt
