"""One case on APScheduler 3, in its own environment: `python apscheduler3.py CASE FILE`.

A memory job store, ten threads as gridsched's default has. It tells a job nothing of the instant it
is for, so a steady trigger's instant is the last one before the call: a run more than a second late
counts as one missed and one duplicate.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

SEEN: list[tuple[int, float, float]] = []
INTERVAL = 1.0
PATIENCE = 15.0


async def nothing_async(number: int, first: float) -> None:
    SEEN.append((number, first, time.time()))


def nothing_thread(number: int, first: float) -> None:
    SEEN.append((number, first, time.time()))


def scheduler_of(case: dict[str, Any]) -> AsyncIOScheduler:
    executors = {"default": AsyncIOExecutor(), "thread": ThreadPoolExecutor(10)}
    defaults = {"misfire_grace_time": None, "coalesce": False, "max_instances": 1000}
    return AsyncIOScheduler(executors=executors, job_defaults=defaults, timezone=UTC)


def add_all(scheduler: AsyncIOScheduler, case: dict[str, Any], first: float) -> None:
    threads = case["kind"] == "thread"
    function = nothing_thread if threads else nothing_async
    executor = "thread" if threads else "default"
    for number in range(case["count"]):
        start = first
        if case["seconds"]:
            start += round(number * 1000 / case["count"]) / 1000
        scheduler.add_job(
            function, trigger_of(case, start), args=(number, start), executor=executor
        )


def trigger_of(case: dict[str, Any], start: float) -> Any:
    at = datetime.fromtimestamp(start, UTC)
    if not case["seconds"]:
        return DateTrigger(at)
    end = datetime.fromtimestamp(start + INTERVAL * (case["seconds"] - 0.5), UTC)
    return IntervalTrigger(seconds=1, start_date=at, end_date=end)


async def fired(expected: int, until: float) -> None:
    last, give_up_at = -1, until + PATIENCE
    while len(SEEN) < expected and time.time() < give_up_at:
        if len(SEEN) != last:
            last, give_up_at = len(SEEN), max(give_up_at, time.time() + PATIENCE)
        await asyncio.sleep(0.2)
    await asyncio.sleep(1.0)


async def run(case: dict[str, Any]) -> dict[str, Any]:
    scheduler = scheduler_of(case)
    scheduler.start()
    if case["scenario"] == "submit":
        began = time.perf_counter()
        add_all(scheduler, case, time.time() + 86_400)
        return {"seconds": time.perf_counter() - began}
    first = round(time.time() + 3.0 + case["count"] / case["pace"], 3)
    add_all(scheduler, case, first)
    if time.time() > first - 2.0:
        raise RuntimeError("the first instant was too near")
    marked_at = time.process_time()
    await fired(case["count"] * max(1, case["seconds"]), first + case["seconds"])
    cpu = time.process_time() - marked_at
    scheduler.shutdown(wait=False)
    return {"samples": [sample(case, *seen) for seen in SEEN], "cpu_seconds": cpu}


def sample(case: dict[str, Any], number: int, first: float, started: float) -> list[Any]:
    # A millisecond's grace: it may call a little before the instant.
    passed = max(0, int((started + 0.001 - first) // INTERVAL)) if case["seconds"] else 0
    return [str(number), first + passed * INTERVAL, started]


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(uvloop.run(run(json.loads(sys.argv[1])))))
