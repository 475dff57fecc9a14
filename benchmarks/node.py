"""A node in a process of its own: `python -m benchmarks.node ORDER`.

It says on its standard output how many firings it has seen, at most five times a second, so that
counting costs the measured process nothing. SIGUSR1: begin to count anew. SIGTERM: stop, and leave
what was seen in the file `dump`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import jobs
from gridsched import aio
from gridsched.runtime import settle_garbage_collector

_REPORT_INTERVAL = 0.2


class Counter:
    """What this process has seen, and what it has cost since it was marked."""

    def __init__(self) -> None:
        self._reported = -1
        self.marked_at = time.process_time()

    def mark(self) -> None:
        jobs.SEEN.clear()
        self.marked_at = time.process_time()
        self._reported = -1
        self.report()

    def report(self) -> None:
        if len(jobs.SEEN) != self._reported:
            self._reported = len(jobs.SEEN)
            print(self._reported, flush=True)


async def run(order: dict[str, Any]) -> None:
    counter, ended = Counter(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, counter.mark)
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    node = await aio.start(
        grid=order["grid"],
        cluster_name=order["cluster_name"],
        name=order["name"],
        allowed_jobs=[jobs.ALLOWED],
        **order["settings"],
    )
    settle_garbage_collector()
    counter.mark()
    while not ended.is_set():
        counter.report()
        try:
            await asyncio.wait_for(ended.wait(), _REPORT_INTERVAL)
        except TimeoutError:
            continue
    cpu = time.process_time() - counter.marked_at
    await node.stop()
    leave(Path(order["dump"]), cpu)


def leave(dump: Path, cpu: float) -> None:
    dump.write_text(json.dumps({"samples": jobs.samples(jobs.SEEN), "cpu_seconds": cpu}))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    # The client says at its own close that the server closed the connection.
    logging.getLogger("hazelcast.internal.asyncio_reactor").setLevel(logging.ERROR)
    uvloop.run(run(json.loads(sys.argv[1])))
