"""A queue of the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hazelcast.errors import IllegalStateError

from gridsched.grid.hazelcast.link import Link
from gridsched.grid.port import GridQueue

_FULL: Final = "Queue full"


class HazelcastQueue(GridQueue):
    def __init__(self, name: str, proxy: Any, link: Link) -> None:
        self.name = name
        self._proxy = proxy
        self._link = link

    async def offer_all(self, items: Sequence[bytes]) -> bool:
        if not items:
            return True
        return await self._link.write(self._add_all, items)

    async def take(self, timeout: float) -> bytes | None:
        return await self._link.write(self._proxy.poll, timeout, waiting=timeout)

    async def drain(self, limit: int) -> list[bytes]:
        items: list[bytes] = []
        await self._link.write(self._proxy.drain_to, items, limit)
        return items

    async def size(self) -> int:
        return await self._link.read(self._proxy.size)

    async def remaining_capacity(self) -> int:
        return await self._link.read(self._proxy.remaining_capacity)

    async def destroy(self) -> None:
        await self._link.write(self._destroy)

    async def _add_all(self, items: Sequence[bytes]) -> bool:
        try:
            await self._proxy.add_all(items)
        except IllegalStateError as error:
            if _FULL in str(error):
                return False
            raise
        return True

    async def _destroy(self) -> None:
        # The client destroys only what it has a proxy of, and forgets it then; another handle on
        # this queue may have been destroyed before.
        proxy = await self._link.client.hazelcast.get_queue(self.name)
        await proxy.destroy()
