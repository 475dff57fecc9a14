"""Execution-{member}: the bounded queue of payloads of one node."""

from __future__ import annotations

from typing import Final

from gridsched.grid.port import Grid, GridQueue, QueueSpec

_BATCH: Final = 128


class ExecutionQueues:
    """Opens the execution queues of nodes by name; `prefix` and `capacity` come from the config."""

    def __init__(self, grid: Grid, prefix: str, capacity: int) -> None:
        self._grid = grid
        self._prefix = prefix
        self._capacity = capacity
        self._open: dict[str, GridQueue] = {}

    async def of(self, member: str) -> GridQueue:
        queue = self._open.get(member)
        if queue is None:
            queue = await self._grid.queue(QueueSpec(self._prefix + member, self._capacity))
            self._open[member] = queue
        return queue

    async def empty(self, member: str) -> None:
        """Drop the payloads of a member that is gone."""
        queue = await self.of(member)
        while await queue.drain(_BATCH):
            pass
        del self._open[member]
