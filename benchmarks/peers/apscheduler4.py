"""One case on APScheduler 4, in its own environment: `python apscheduler4.py CASE FILE`.

A memory data store and the scheduler's defaults, without a limit to the runs of one task.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from apscheduler import AsyncScheduler, CoalescePolicy, current_job
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

SEEN: list[tuple[str, datetime, float]] = []
PATIENCE = 15.0


async def nothing_async() -> None:
    job = current_job.get()
    SEEN.append((job.schedule_id, job.scheduled_fire_time, time.time()))


def nothing_thread() -> None:
    job = current_job.get()
    SEEN.append((job.schedule_id, job.scheduled_fire_time, time.time()))


async def add_all(scheduler: AsyncScheduler, case: dict[str, Any], first: float) -> None:
    threads = case["kind"] == "thread"
    function = nothing_thread if threads else nothing_async
    executor = "threadpool" if threads else "async"
    await scheduler.configure_task(
        "nothing", func=function, job_executor=executor, max_running_jobs=None
    )
    for number in range(case["count"]):
        start = first
        if case["seconds"]:
            start += round(number * 1000 / case["count"]) / 1000
        await scheduler.add_schedule(
            "nothing", trigger_of(case, start), id=str(number), coalesce=CoalescePolicy.all
        )


def trigger_of(case: dict[str, Any], start: float) -> Any:
    at = datetime.fromtimestamp(start, UTC)
    if not case["seconds"]:
        return DateTrigger(at)
    end = datetime.fromtimestamp(start + case["seconds"] - 0.5, UTC)
    return IntervalTrigger(seconds=1, start_time=at, end_time=end)


async def fired(expected: int, until: float) -> None:
    last, give_up_at = -1, until + PATIENCE
    while len(SEEN) < expected and time.time() < give_up_at:
        if len(SEEN) != last:
            last, give_up_at = len(SEEN), max(give_up_at, time.time() + PATIENCE)
        await asyncio.sleep(0.2)
    await asyncio.sleep(1.0)


async def run(case: dict[str, Any]) -> dict[str, Any]:
    async with AsyncScheduler() as scheduler:
        await scheduler.start_in_background()
        if case["scenario"] == "submit":
            began = time.perf_counter()
            await add_all(scheduler, case, time.time() + 86_400)
            return {"seconds": time.perf_counter() - began}
        first = round(time.time() + 3.0 + case["count"] / case["pace"], 3)
        await add_all(scheduler, case, first)
        if time.time() > first - 2.0:
            raise RuntimeError("the first instant was too near")
        marked_at = time.process_time()
        await fired(case["count"] * max(1, case["seconds"]), first + case["seconds"])
        cpu = time.process_time() - marked_at
        await scheduler.stop()
    samples = [[key, scheduled.timestamp(), started] for key, scheduled, started in SEEN]
    return {"samples": samples, "cpu_seconds": cpu}


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    Path(sys.argv[2]).write_text(json.dumps(uvloop.run(run(json.loads(sys.argv[1])))))
