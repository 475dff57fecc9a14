"""The fence of commands: who applies one writes only while nobody has answered it.

A node that is slow, frozen or no owner any more may go on with a command that another has applied
meanwhile, and whose user has gone on to the next: its resume would undo their pause. So before each
write of a command its submission is asked for again, and a node that slept over the answer goes no
further. What was read before that is compared by the write itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from gridsched.grid.port import Cancel, Change, Condition, EntryEvent, EntryKind, GridMap, Outcome
from gridsched.node.membership import Membership
from gridsched.stores.caches import Caches
from gridsched.stores.record import Store
from gridsched.stores.submissions import SubmissionStore


class Overtaken(Exception):
    """The command has its answer, from another node: it is not to go on."""


class Fence:
    """Guards the writes of the command that is being applied."""

    def __init__(self, submissions: SubmissionStore, membership: Membership) -> None:
        self._submissions = submissions
        self._membership = membership
        self._key = ""

    def around(self, key: str) -> None:
        """From now on this submission's command is applied."""
        self._key = key

    async def check(self) -> None:
        """Overtaken where the submission has its answer; GridUnavailable where this node slept over
        that."""
        standing = self._membership.standing()
        there = await self._submissions.get(self._key)
        self._membership.check_standing(standing)
        if there is None or there.value.state != "NEW":
            raise Overtaken(self._key)

    def guarded(self, caches: Caches) -> Caches:
        """The caches of commands: each write asks `check` first."""
        stores: dict[str, Any] = {
            name: type(store)(_GuardedMap(store.map, self.check))
            for name, store in caches._asdict().items()
            if isinstance(store, Store) and name != "submissions"
        }
        return caches._replace(**stores)


class _GuardedMap(GridMap):
    """A map whose writes are checked."""

    def __init__(self, held: GridMap, check: Callable[[], Awaitable[None]]) -> None:
        self.name = held.name
        self._map = held
        self._check = check

    async def get(self, key: bytes) -> bytes | None:
        return await self._map.get(key)

    async def get_all(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        return await self._map.get_all(keys)

    async def query(
        self, where: Sequence[Condition], partitions: Iterable[int] | None = None
    ) -> list[tuple[bytes, bytes]]:
        return await self._map.query(where, partitions)

    async def size(self) -> int:
        return await self._map.size()

    async def listen(
        self, handler: Callable[[EntryEvent], None], kinds: Iterable[EntryKind] = EntryKind
    ) -> Cancel:
        return await self._map.listen(handler, kinds)

    async def put(self, key: bytes, value: bytes, ttl_ms: int | None = None) -> None:
        await self._check()
        await self._map.put(key, value, ttl_ms)

    async def put_all(self, entries: Mapping[bytes, bytes]) -> None:
        await self._check()
        await self._map.put_all(entries)

    async def compare_and_set(self, changes: Sequence[Change]) -> list[Outcome]:
        await self._check()
        return await self._map.compare_and_set(changes)

    async def remove(self, key: bytes) -> bytes | None:
        await self._check()
        return await self._map.remove(key)

    async def remove_all(
        self, where: Sequence[Condition], partitions: Iterable[int] | None = None
    ) -> None:
        await self._check()
        await self._map.remove_all(where, partitions)
