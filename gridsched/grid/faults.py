"""A grid that fails on purpose, around any other: what the layers above must survive."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import Enum
from random import Random
from typing import Final, TypeVar

import mmh3
import msgspec

from gridsched.errors import GridUnavailable, UnknownOutcome
from gridsched.grid.data import text_of
from gridsched.grid.port import (
    Cancel,
    Change,
    Condition,
    EntryEvent,
    EntryKind,
    Grid,
    GridMap,
    GridMember,
    GridQueue,
    MapSpec,
    Outcome,
    QueueSpec,
)

T = TypeVar("T")

_FULL: Final = 2.0**64


class Fault(Enum):
    """What can go wrong once."""

    UNAVAILABLE = "the call raises GridUnavailable and does nothing"
    APPLIED = "the write is applied, but its outcome unknown"
    NOT_APPLIED = "the write is not applied, and its outcome unknown"
    LOST = "the entry event or queue item never arrives"
    DUPLICATED = "the queue item arrives twice"


class Rates(msgspec.Struct, frozen=True):
    """How often things go wrong by chance, each from 0 to 1. `longest_delay`, of calls and of late
    events, is in seconds."""

    delayed: float = 0.0
    longest_delay: float = 0.0
    unavailable: float = 0.0
    unknown: float = 0.0
    lost_events: float = 0.0
    late_events: float = 0.0
    doubled_events: float = 0.0
    lost_items: float = 0.0
    duplicated_items: float = 0.0


_HEAD: Final = 160
"""Bytes of an item's text that tell it from others. Errors further on name files, and so the folder,
which is to make no difference."""


class Faults:
    """Decides what goes wrong: what the test has scripted, else what chance has it.

    What chance does to a call depends on what the call is and how many like it were before: other calls
    may come and go without that another thing goes wrong with this one.

    While `cut_off` is set nothing gets through: calls raise GridUnavailable, events are lost, and a
    write that was under way ends with UnknownOutcome.
    """

    def __init__(self, random: Random, rates: Rates | None = None) -> None:
        self.cut_off = False
        self._seed = random.getrandbits(32)
        self._rates = rates or Rates()
        self._scripted: defaultdict[tuple[str, str], deque[Fault]] = defaultdict(deque)
        self._met: dict[tuple[str, str, bytes], int] = {}

    def script(self, name: str, operation: str, fault: Fault) -> None:
        """Let this happen once, at the next `operation` on the map or queue `name`.

        Operations are the methods of the port ("compare_and_set" for all that are made of it),
        "event" and "item". Faults scripted for one operation happen one after another.
        """
        self._scripted[name, operation].append(fault)

    async def meet(self, name: str, operation: str, key: bytes = b"") -> Fault | None:
        """Delay a call or raise its GridUnavailable; return what else is scripted for it."""
        scripted, rates = self._next(name, operation), self._rates
        unavailable = False
        if rates.delayed or rates.unavailable:
            delayed, failed = self._draw(name, operation, key)
            unavailable = failed < rates.unavailable
            if delayed < rates.delayed:
                await asyncio.sleep(self._delay(delayed / rates.delayed))
        if self.cut_off or unavailable or scripted is Fault.UNAVAILABLE:
            raise GridUnavailable(f"{operation} on {name} does not reach the grid")
        return scripted

    def unknown(self, name: str, key: bytes = b"") -> Fault | None:
        """Whether a write's outcome is unknown, and then which it was."""
        if not self._rates.unknown:
            return None
        unknown, applied = self._draw(name, "unknown", key)
        if unknown >= self._rates.unknown:
            return None
        return Fault.APPLIED if applied < 0.5 else Fault.NOT_APPLIED

    def change_rates(self, rates: Rates) -> None:
        """From now on things go wrong this often."""
        self._rates = rates

    def event_delays(self, name: str, key: bytes) -> list[float]:
        """When an entry event arrives, in seconds from now: once, late, twice or never."""
        rates = self._rates
        if self._next(name, "event") is Fault.LOST or self.cut_off:
            return []
        if not (rates.lost_events or rates.doubled_events or rates.late_events):
            return [0.0]
        lost, doubled = self._draw(name, "event", key)
        if lost < rates.lost_events:
            return []
        copies = self._draw(name, "late", key)[: 2 if doubled < rates.doubled_events else 1]
        rate = rates.late_events
        return [self._delay(late / rate) if late < rate else 0.0 for late in copies]

    def copies(self, name: str, item: bytes) -> int:
        """How many of an item arrive: 0, 1 or 2."""
        scripted, rates = self._next(name, "item"), self._rates
        if scripted is not None:
            return 0 if scripted is Fault.LOST else 2
        if not (rates.lost_items or rates.duplicated_items):
            return 1
        lost, doubled = self._draw(name, "item", text_of(item)[:_HEAD])
        if lost < rates.lost_items:
            return 0
        return 2 if doubled < rates.duplicated_items else 1

    def _delay(self, share: float) -> float:
        """Most are short, few are as long as they may be."""
        return share**8 * self._rates.longest_delay

    def _next(self, name: str, operation: str) -> Fault | None:
        scripted = self._scripted.get((name, operation))
        return scripted.popleft() if scripted else None

    def _draw(self, name: str, operation: str, key: bytes) -> tuple[float, float]:
        """Two numbers from 0 to 1, for this time that this is met."""
        what = name, operation, key
        before = self._met[what] = self._met.get(what, -1) + 1
        text = b"%b %d %b" % (f"{name} {operation}".encode(), before, key)
        one, two = mmh3.hash64(text, self._seed, signed=False)
        return one / _FULL, two / _FULL


class FaultyGrid(Grid):
    """Another grid, with faults between it and the caller."""

    def __init__(self, grid: Grid, faults: Faults) -> None:
        self.partition_count = grid.partition_count
        self._grid = grid
        self._faults = faults

    async def open(self) -> None:
        await self._faults.meet("grid", "open")
        await self._grid.open()

    async def close(self) -> None:
        await self._grid.close()

    async def map(self, spec: MapSpec) -> GridMap:
        await self._faults.meet(spec.name, "map")
        return FaultyMap(await self._grid.map(spec), self._faults)

    async def queue(self, spec: QueueSpec) -> GridQueue:
        await self._faults.meet(spec.name, "queue")
        return FaultyQueue(await self._grid.queue(spec), self._faults)

    def members(self) -> tuple[GridMember, ...]:
        return () if self._faults.cut_off else self._grid.members()

    def local_member(self) -> str | None:
        return None if self._faults.cut_off else self._grid.local_member()

    def partition_owners(self) -> tuple[str | None, ...]:
        lost = (None,) * self.partition_count
        return lost if self._faults.cut_off else self._grid.partition_owners()

    def listen_membership(self, handler: Callable[[], None]) -> Cancel:
        return self._grid.listen_membership(handler)


class _Faulty:
    """A map or queue behind faults."""

    name: str
    _faults: Faults

    async def _read(self, operation: str, call: Callable[[], Awaitable[T]], key: bytes = b"") -> T:
        await self._faults.meet(self.name, operation, key)
        answer = await call()
        if self._faults.cut_off:
            raise GridUnavailable(f"{operation} on {self.name} was cut off")
        return answer

    async def _write(self, operation: str, call: Callable[[], Awaitable[T]], key: bytes = b"") -> T:
        fault = await self._faults.meet(self.name, operation, key)
        fault = fault or self._faults.unknown(self.name, key)
        if fault is not Fault.NOT_APPLIED:
            answer = await call()
            if fault is None and not self._faults.cut_off:
                return answer
        raise UnknownOutcome(f"{operation} on {self.name} was or was not applied")


class FaultyMap(_Faulty, GridMap):
    """A map behind faults. The changes of one batch fail each on its own, unless scripted."""

    def __init__(self, held: GridMap, faults: Faults) -> None:
        self.name = held.name
        self._map = held
        self._faults = faults

    async def get(self, key: bytes) -> bytes | None:
        return await self._read("get", lambda: self._map.get(key), key)

    async def get_all(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        return await self._read("get_all", lambda: self._map.get_all(keys))

    async def put(self, key: bytes, value: bytes, ttl_ms: int | None = None) -> None:
        await self._write("put", lambda: self._map.put(key, value, ttl_ms), key)

    async def put_all(self, entries: Mapping[bytes, bytes]) -> None:
        await self._write("put_all", lambda: self._map.put_all(entries))

    async def compare_and_set(self, changes: Sequence[Change]) -> list[Outcome]:
        first = changes[0].key if changes else b""
        scripted = await self._faults.meet(self.name, "compare_and_set", first)
        fates = [scripted or self._faults.unknown(self.name, change.key) for change in changes]
        pairs = list(zip(changes, fates, strict=True))
        arriving = [change for change, fate in pairs if fate is not Fault.NOT_APPLIED]
        answers = dict(zip(arriving, await self._map.compare_and_set(arriving), strict=True))
        if self._faults.cut_off:
            return [Outcome.UNKNOWN] * len(changes)
        return [answers[change] if fate is None else Outcome.UNKNOWN for change, fate in pairs]

    async def remove(self, key: bytes) -> bytes | None:
        return await self._write("remove", lambda: self._map.remove(key), key)

    async def query(
        self, where: Sequence[Condition], partitions: Iterable[int] | None = None
    ) -> list[tuple[bytes, bytes]]:
        return await self._read("query", lambda: self._map.query(where, partitions))

    async def remove_all(
        self, where: Sequence[Condition], partitions: Iterable[int] | None = None
    ) -> None:
        await self._write("remove_all", lambda: self._map.remove_all(where, partitions))

    async def size(self) -> int:
        return await self._read("size", self._map.size)

    async def listen(
        self, handler: Callable[[EntryEvent], None], kinds: Iterable[EntryKind] = EntryKind
    ) -> Cancel:
        def hear(event: EntryEvent) -> None:
            for delay in self._faults.event_delays(self.name, event.key):
                if delay:
                    asyncio.get_running_loop().call_later(delay, handler, event)
                else:
                    handler(event)

        return await self._read("listen", lambda: self._map.listen(hear, kinds))


class FaultyQueue(_Faulty, GridQueue):
    """A queue behind faults. Items are lost and doubled on their way in; a double needs room."""

    def __init__(self, held: GridQueue, faults: Faults) -> None:
        self.name = held.name
        self._queue = held
        self._faults = faults

    async def offer_all(self, items: Sequence[bytes]) -> bool:
        sent = [item for item in items for _ in range(self._faults.copies(self.name, item))]
        return await self._write("offer_all", lambda: self._queue.offer_all(sent))

    async def take(self, timeout: float) -> bytes | None:
        return await self._write("take", lambda: self._queue.take(timeout))

    async def drain(self, limit: int) -> list[bytes]:
        return await self._write("drain", lambda: self._queue.drain(limit))

    async def size(self) -> int:
        return await self._read("size", self._queue.size)

    async def remaining_capacity(self) -> int:
        return await self._read("remaining_capacity", self._queue.remaining_capacity)

    async def destroy(self) -> None:
        await self._write("destroy", self._queue.destroy)
