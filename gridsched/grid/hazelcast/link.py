"""The way every call to the cluster goes: only while connected, within a time limit, and with
the port's errors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from hazelcast.errors import HazelcastError
from hazelcast.lifecycle import LifecycleState

from gridsched.errors import GridUnavailable
from gridsched.grid.hazelcast.client import Client
from gridsched.grid.hazelcast.outcomes import grid_error, no_answer

T = TypeVar("T")

FAILURES = (HazelcastError, OSError, ExceptionGroup)
"""What the client raises; OSError is the root of every timeout too."""


class Link:
    """A client, whether it is connected now, and how long a call may take (in seconds)."""

    def __init__(self, client: Client, call_timeout: float) -> None:
        self.client = client
        self.call_timeout = call_timeout
        self.connected = True
        self._background: set[asyncio.Task[Any]] = set()
        client.hazelcast.lifecycle_service.add_listener(self._state_changed)

    async def read(self, call: Callable[..., Awaitable[T]], *args: object) -> T:
        """Await `call(*args)`, which may as well be made again: no outcome of it is unknown."""
        return await self._await(call, args, self.call_timeout, write=False)

    async def write(
        self, call: Callable[..., Awaitable[T]], *args: object, waiting: float = 0.0
    ) -> T:
        """Await `call(*args)`, which may itself wait `waiting` seconds before it is answered."""
        return await self._await(call, args, self.call_timeout + waiting, write=True)

    def require(self) -> None:
        """GridUnavailable while disconnected: the client would hold some calls back."""
        if not self.connected:
            raise GridUnavailable("the connection to the grid is gone; looking for it again")

    def in_background(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Run something whose failure concerns nobody, as the connection it cleans up is gone."""
        task = asyncio.ensure_future(_quietly(coroutine))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _state_changed(self, state: str) -> None:
        self.connected = state == LifecycleState.CONNECTED

    async def _await(
        self,
        call: Callable[..., Awaitable[T]],
        args: tuple[object, ...],
        limit: float,
        *,
        write: bool,
    ) -> T:
        self.require()
        try:
            async with asyncio.timeout(limit):
                return await call(*args)
        except TimeoutError as error:
            raise grid_error(no_answer(limit), write=write) from error
        except FAILURES as error:
            raise grid_error(error, write=write) from error


async def _quietly(coroutine: Coroutine[Any, Any, object]) -> None:
    try:
        await coroutine
    except FAILURES:
        return
