"""What the grid itself does, without a node: calls of the official asyncio client, many at once."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hazelcast.asyncio import HazelcastClient

from benchmarks.cases import HAZELCAST, Case
from benchmarks.member import start_grid, start_member
from benchmarks.subjects import CLUSTER_NAME

WINDOW = 128
"""Calls under way at once."""
KEYS = 1000
BATCH = 100
"""Items that are added to the queue, and drained from it, at once."""
VALUE = "x" * 100

Call = Callable[[int], Awaitable[Any]]


async def calls(case: Case) -> dict[str, Any]:
    """Calls a second of each kind; of the queue, items that went through it."""
    start = start_member if case.subject in HAZELCAST else start_grid
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        grid = start(Path(folder), CLUSTER_NAME)
        try:
            client = await HazelcastClient.create_and_start(
                cluster_name=CLUSTER_NAME, cluster_members=grid.addresses
            )
            kinds = await _kinds(client)
            rates = {name: await _rate(*kind, case) for name, kind in kinds.items()}
            await client.shutdown()
        finally:
            grid.stop()
    return {"rates": rates}


async def _kinds(client: Any) -> dict[str, tuple[Call, int]]:
    """Each kind of call, and how much one of them does."""
    held, queue = await client.get_map("calls"), await client.get_queue("calls")
    items = [VALUE] * BATCH

    async def through(_number: int) -> None:
        await queue.add_all(items)
        await queue.drain_to([], BATCH)

    return {
        "set": (lambda number: held.set(number % KEYS, VALUE), 1),
        "get": (lambda number: held.get(number % KEYS), 1),
        "replace": (lambda number: held.replace_if_same(number % KEYS, VALUE, VALUE), 1),
        "queue": (through, BATCH),
    }


async def _rate(call: Call, does: int, case: Case) -> float:
    """How much is done in a second; a call that does more is made a tenth as often."""
    share = 10 if does > 1 else 1
    count = case.count // share
    await _in_windows(call, case.warm_up // share)
    began = time.perf_counter()
    await _in_windows(call, count)
    return count * does / (time.perf_counter() - began)


async def _in_windows(call: Call, count: int) -> None:
    for start in range(0, count, WINDOW):
        await asyncio.gather(*(call(n) for n in range(start, min(start + WINDOW, count))))
