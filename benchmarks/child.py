"""One case on gridsched, in this process: `python -m benchmarks.child CASE FILE`."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from benchmarks.calls import calls
from benchmarks.cases import Case
from benchmarks.service import Service
from benchmarks.subjects import Subject, decode_case, subject_of
from gridsched import HttpTask, Job, Trigger, every, once
from gridsched.aio import AsyncOutcome, AsyncSession

PATIENCE = 15.0
"""Seconds without a firing after which those that are missing are taken for missed."""

LINGER = 1.0
"""Seconds in which a duplicate may still come."""

CHUNK = 5000
"""Triggers given to the facade at a time where memory is measured."""

Pair = tuple[Job, Trigger]


def pairs(
    case: Case, triggers: Iterator[Trigger], prefix: str = "job", url: str = ""
) -> list[Pair]:
    """A job for each trigger, as jobs of different names spread over the partitions."""
    job = Job(task=HttpTask(url)) if url else Job(f"benchmarks.jobs:nothing_{case.kind}")
    return [
        (msgspec.structs.replace(job, name=f"{prefix}-{number}"), trigger)
        for number, trigger in enumerate(triggers)
    ]


def soon(seconds: float) -> datetime:
    """A whole millisecond, as the cluster keeps no finer ones."""
    return datetime.fromtimestamp(round((time.time() + seconds) * 1000) / 1000, UTC)


async def warm_up(subject: Subject, case: Case) -> None:
    if not case.warm_up:
        return
    instant = soon(3.0 + case.warm_up / case.pace)
    triggers = (once(instant) for _ in range(case.warm_up))
    await subject.scheduler.schedule_many(pairs(case, triggers, "warm-up"))
    await fired(subject, case.warm_up, instant)


async def fired(subject: Subject, expected: int, until: datetime) -> None:
    """Wait until so many have fired; give up some time after `until` when no more do."""
    last, give_up_at = -1, until.timestamp() + PATIENCE
    while (seen := subject.seen()) < expected and time.time() < give_up_at:
        if seen != last:
            last, give_up_at = seen, max(give_up_at, time.time() + PATIENCE)
        await asyncio.sleep(0.2)
    await asyncio.sleep(LINGER)


async def herd(subject: Subject, case: Case) -> dict[str, Any]:
    instant = soon(case.lead)
    return await _fire(subject, case, (once(instant) for _ in range(case.count)), instant)


async def http(subject: Subject, case: Case) -> dict[str, Any]:
    """A steady load of requests to a service in another process, which says when each came."""
    service = Service()
    url = await service.start()
    try:
        return await steady(subject, case, url)
    finally:
        await service.stop()


async def steady(subject: Subject, case: Case, url: str = "") -> dict[str, Any]:
    """Each trigger fires once a second, and their starts are spread over the second."""
    first = soon(case.lead)
    triggers = (
        every(
            1.0,
            start=first + timedelta(milliseconds=round(number * 1000 / case.count)),
            repeat_count=case.seconds - 1,
        )
        for number in range(case.count)
    )
    until = first + timedelta(seconds=case.seconds)
    return await _fire(subject, case, triggers, until, url)


async def _fire(
    subject: Subject, case: Case, triggers: Iterator[Trigger], until: datetime, url: str = ""
) -> dict[str, Any]:
    given = pairs(case, triggers, url=url)
    began = time.perf_counter()
    await subject.scheduler.schedule_many(given)
    took = time.perf_counter() - began
    if took > case.lead - 2.0:
        raise RuntimeError(f"scheduling took {took:.1f} s: the first instant was too near")
    del given
    await subject.mark()
    await fired(subject, case.expected, until)
    return await subject.results()


async def submit(subject: Subject, case: Case) -> dict[str, Any]:
    given = pairs(case, (once(soon(86_400)) for _ in range(case.count)))
    began = time.perf_counter()
    await subject.scheduler.schedule_many(given)
    return {"seconds": time.perf_counter() - began}


async def session(subject: Subject, case: Case) -> dict[str, Any]:
    """Immediate work, one by one at an even pace or all at once, and what each came to."""
    jobs = [Job("benchmarks.jobs:numbered", data={"number": n}) for n in range(case.count)]
    await subject.mark()
    began = time.perf_counter()
    async with subject.scheduler.session() as made:
        if case.seconds:
            outcomes = await _paced(made, jobs, case.seconds / case.count)
        else:
            outcomes = await made.submit_many(jobs)
        values = [await outcome.get(timeout=PATIENCE) for outcome in outcomes]
    took = time.perf_counter() - began
    wrong = sum(value != number for number, value in enumerate(values))
    return {**await subject.results(), "seconds": took, "wrong": wrong}


async def _paced(made: AsyncSession, jobs: list[Job], interval: float) -> list[AsyncOutcome]:
    began = time.perf_counter()
    outcomes = []
    for number, job in enumerate(jobs):
        await asyncio.sleep(began + number * interval - time.perf_counter())
        outcomes.append(await made.submit(job))
    return outcomes


async def memory(subject: Subject, case: Case) -> dict[str, Any]:
    instant = soon(86_400)
    for start in range(0, case.count, CHUNK):
        size = min(CHUNK, case.count - start)
        triggers = (once(instant) for _ in range(size))
        await subject.scheduler.schedule_many(pairs(case, triggers, f"job-{start}"))
    gc.collect()
    await asyncio.sleep(LINGER)
    return resident(subject.pid())


def resident(pid: str) -> dict[str, float]:
    """What a process holds in memory now, and what it held at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    kb = dict(line.partition(":")[::2] for line in status.splitlines())
    names = {"rss_mb": "VmRSS", "peak_mb": "VmHWM"}
    return {name: int(kb[field].split()[0]) / 1024 for name, field in names.items()}


RUN = {
    "herd": herd,
    "steady": steady,
    "http": http,
    "submit": submit,
    "session": session,
    "memory": memory,
}


async def run(case: Case) -> dict[str, Any]:
    if case.scenario == "calls":
        return await calls(case)
    async with subject_of(case) as subject:
        await warm_up(subject, case)
        return await RUN[case.scenario](subject, case)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    # The client says at its own close that the server closed the connection.
    logging.getLogger("hazelcast.internal.asyncio_reactor").setLevel(logging.ERROR)
    raw = uvloop.run(run(decode_case(sys.argv[1])))
    Path(sys.argv[2]).write_bytes(msgspec.json.encode(raw))
