"""Jobs that the nodes under test run. What they do stands in a file outside the grid.

A line is `word trigger scheduled process late`: word is "ran" of a job that takes no time, "began"
and "ended" of one that is held; `late` is how many ms after its instant it started.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from gridsched.jobs.context import JobContext, Yield

_LOOK_INTERVAL = 0.02


def _write(file: str, word: str, context: JobContext) -> None:
    """One line by one write: lines of several processes never mix."""
    scheduled = round(context.scheduled_time.timestamp() * 1000)
    late = round(context.fire_time.timestamp() * 1000) - scheduled
    line = f"{word}\t{context.trigger_key}\t{scheduled}\t{os.getpid()}\t{late}\n"
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def note(context: JobContext, file: str) -> None:
    """In a thread."""
    _write(file, "ran", context)


async def note_async(context: JobContext, file: str) -> None:
    """On the event loop."""
    _write(file, "ran", context)


def hold(context: JobContext, file: str, gates: str) -> None:
    """Runs until the gate of its process, a file with the process id for its name, is there."""
    _write(file, "began", context)
    gate = Path(gates) / str(os.getpid())
    while not gate.exists():
        time.sleep(_LOOK_INTERVAL)
    _write(file, "ended", context)


def whose() -> int:
    """The id of the process that it runs in."""
    return os.getpid()


async def add(a: int, b: int) -> int:
    return a + b


def sleep_for_ever(file: str) -> None:
    """Says its process, and never looks up."""
    Path(file).write_text(str(os.getpid()))
    time.sleep(3600)


def until_cancelled(context: JobContext, file: str) -> None:
    """In a thread: looks whether anybody waits for it still."""
    while not context.cancelled:
        time.sleep(_LOOK_INTERVAL)
    Path(file).write_text("it saw that it was cancelled")


def in_turns(context: JobContext) -> list[int]:
    """A turn in whatever process has room, three in all; the processes of the turns."""
    pids = [*(context.last_checkpoint or []), os.getpid()]
    context.checkpoint(pids)
    context.progress(len(pids) / 3, f"turn {len(pids)}")
    if len(pids) < 3:
        raise Yield(0.1)
    return pids


def dummy(context: JobContext) -> str:
    """The seed's DummyJob, without its minute of sleep."""
    return f"RESULT: DummyJob Completed of {context.data['TestKey']}"


def another_dummy(context: JobContext) -> str:
    """The seed's AnotherDummyJob, likewise."""
    text = "RESULT: AnotherDummyJob Completed"
    return f"CRON = {text}" if "TestKeyCron_1" in context.data else text


async def count(context: JobContext, seconds: float = 0.0) -> int:
    """Counts its job's runs, in what its data leave."""
    await asyncio.sleep(seconds)
    context.data["runs"] = context.data.get("runs", 0) + 1
    return int(context.data["runs"])
