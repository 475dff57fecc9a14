"""A node in a process of its own: `python -m benchmarks.chaos.node ORDER`.

It starts again whenever it stops by itself or cannot start, as under a supervisor; SIGTERM stops it in
order. It ends with the process that has started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop

from benchmarks.chaos.jobs import WORK, WORK_IN_THREAD, write_as
from benchmarks.chaos.machine import Machine
from gridsched.client.grids import open_cluster
from gridsched.clock import SystemClock, system_ids
from gridsched.config.settings import Settings
from gridsched.errors import GridError, NodeNameTaken
from gridsched.model.caches import CacheSettings
from gridsched.node.assembly import assemble

_AGAIN: Final = 1.0
"""Seconds until it starts again."""

_DAYS: Final = 10 * 86_400_000


class Order(msgspec.Struct, frozen=True):
    """What a node is to be. `runs` is the file that its jobs write to, `planted` the name of a bug
    of `tests/simulation/planted_bugs.py` that it has."""

    name: str
    grid: str
    cluster_name: str
    runs: str
    session_timeout_ms: int
    planted: str = ""


def settings(session_timeout_ms: int) -> Settings:
    """Of every node. What is final stays for the checker."""
    return Settings(
        name="chaos",
        allowed_jobs=(WORK, WORK_IN_THREAD),
        allowed_hosts=("127.0.0.1",),
        session_timeout_ms=session_timeout_ms,
        misfire_threshold_ms=20_000,
        grace_period_ms=5000,
        caches=CacheSettings(firing_retention_ms=_DAYS, trigger_retention_ms=_DAYS),
    )


async def run(order: Order) -> None:
    write_as(f"{order.name}#{os.getpid()}", Path(order.runs))
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_reader(sys.stdin, os._exit, 1)  # nothing is ever written to it but its end
    while not ended.is_set():
        with contextlib.suppress(GridError, NodeNameTaken):
            await _live(order, ended)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _AGAIN)


def bugs() -> Mapping[str, Callable[[Any], None]]:
    """The bugs that can be planted, by name: each is put into a process by a MonkeyPatch."""
    sys.path.append(str(Path(__file__).parents[2] / "tests" / "simulation"))
    import planted_bugs  # type: ignore[import-not-found]

    known: Mapping[str, Callable[[Any], None]] = planted_bugs.BUGS
    return known


def plant(bug: str) -> None:
    """Put a bug into this process."""
    import pytest

    bugs()[bug](pytest.MonkeyPatch())


async def _live(order: Order, ended: asyncio.Event) -> None:
    """From its start to its end, by itself or because it is told to."""
    grid = await open_cluster(order.grid, order.cluster_name, order.name)
    try:
        node = await assemble(
            settings(order.session_timeout_ms),
            grid,
            SystemClock(),
            system_ids(),
            Machine(),
            name=order.name,
            address=f"127.0.0.1:{os.getpid()}",
        )
        await node.start()
        ends = [asyncio.ensure_future(event.wait()) for event in (ended, node.stopped)]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()
        await node.stop()
    finally:
        await grid.close()


if __name__ == "__main__":
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
    )
    # The client logs a traceback for each connection that fails, as these are meant to.
    logging.getLogger("hazelcast").setLevel(logging.CRITICAL)
    ordered = msgspec.json.decode(sys.argv[1], type=Order)
    if ordered.planted:
        plant(ordered.planted)
    uvloop.run(run(ordered))
