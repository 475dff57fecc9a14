"""What the stores share: records of one type in one map, read and changed by compare-and-set.

A `Record` keeps the bytes it was read from, so that a change of it is fenced by exactly what its
reader saw (law 2: every change of state is a replace-if-same).
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Generic, NamedTuple, TypeVar

import msgspec

from gridsched.grid.data import json_value, string_key, text_of
from gridsched.grid.port import Change, Condition, Grid, GridMap, IndexSpec, MapSpec
from gridsched.model.keys import job_of

V = TypeVar("V", bound=msgspec.Struct)

_encoder = msgspec.json.Encoder()
_log = logging.getLogger("gridsched.stores")


class Record(NamedTuple, Generic[V]):
    """A value as it was read: its written key, its `Data` key and the bytes it stood in."""

    key: str
    data_key: bytes
    value: V
    raw: bytes


class Store(ABC, Generic[V]):
    """The records of one map. Keys are written keys (see `model.keys`)."""

    type: ClassVar[type[msgspec.Struct]]
    indexes: ClassVar[tuple[IndexSpec, ...]] = ()

    def __init__(self, grid_map: GridMap) -> None:
        self.map = grid_map
        self._decode = msgspec.json.Decoder(self.type).decode
        self._unreadable: set[bytes] = set()

    @classmethod
    def spec(cls, name: str, backup_count: int) -> MapSpec:
        """What the grid's map must have."""
        return MapSpec(name, cls.indexes, backup_count)

    @abstractmethod
    def key_of(self, value: V) -> str:
        """The written key of a value."""

    def partition_key(self, key: str) -> str:
        """What a written key is partitioned by: its job's key."""
        return job_of(key)

    def data_key(self, key: str) -> bytes:
        return string_key(key, self.partition_key(key))

    def record(self, data_key: bytes, raw: bytes) -> Record[V]:
        """The record of an entry of the map."""
        return Record(text_of(data_key).decode(), data_key, self.decode(raw), raw)

    def decode(self, raw: bytes) -> V:
        """The value in `Data` bytes."""
        return self._decode(text_of(raw))  # type: ignore[return-value]

    def encode(self, value: V) -> bytes:
        """The `Data` bytes of a value."""
        return json_value(_encoder.encode(value))

    async def get(self, key: str) -> Record[V] | None:
        data_key = self.data_key(key)
        raw = await self.map.get(data_key)
        return None if raw is None else self.record(data_key, raw)

    async def get_all(self, keys: Iterable[str]) -> dict[str, Record[V]]:
        """The records that exist among `keys`, by written key."""
        found = await self.map.get_all([self.data_key(key) for key in keys])
        records = (self.record(data_key, raw) for data_key, raw in found.items())
        return {record.key: record for record in records}

    async def find(
        self, where: Sequence[Condition] = (), partitions: Iterable[int] | None = None
    ) -> list[Record[V]]:
        """The records that match every condition, in the given partitions."""
        return self.readable(await self.map.query(where, partitions))

    def readable(self, entries: Iterable[tuple[bytes, bytes]]) -> list[Record[V]]:
        """The records of entries. One that cannot be read is said once and left alone: another
        version wrote it, or none of ours did, and the others are not to wait for it."""
        found: list[Record[V]] = []
        for data_key, raw in entries:
            try:
                found.append(self.record(data_key, raw))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                if data_key not in self._unreadable:
                    self._unreadable.add(data_key)
                    key = text_of(data_key).decode(errors="replace")
                    _log.error("map %s: %s cannot be read: %s", self.map.name, key, error)
        return found

    def created(self, value: V) -> Change:
        """The change that stores a value where nothing is."""
        return Change(self.data_key(self.key_of(value)), None, self.encode(value))

    def written(self, value: V) -> Record[V]:
        """The record that storing a value makes."""
        key = self.key_of(value)
        return Record(key, self.data_key(key), value, self.encode(value))

    def put(self, record: Record[V]) -> Change:
        """The change that stores a `written` record where nothing is."""
        return Change(record.data_key, None, record.raw)

    def replaced(self, record: Record[V], value: V) -> Change:
        """The change from what was read to `value`."""
        return Change(record.data_key, record.raw, self.encode(value))

    def stored(self, value: V, record: Record[V] | None) -> Change:
        """`created` where nothing was read, else `replaced`."""
        return self.created(value) if record is None else self.replaced(record, value)

    def removed(self, record: Record[V]) -> Change:
        return Change(record.data_key, record.raw, None)

    async def apply(self, changes: Sequence[Change]) -> list[bool]:
        """Carry out changes; True for each that took effect (see `GridMap.apply`)."""
        return await self.map.apply(changes) if changes else []

    async def create(self, value: V) -> bool:
        return (await self.apply([self.created(value)]))[0]

    async def replace(self, record: Record[V], value: V) -> bool:
        """True also where `value` is what stands there already."""
        change = self.replaced(record, value)
        return change.old == change.new or (await self.apply([change]))[0]


S = TypeVar("S", bound=Store)  # type: ignore[type-arg]


async def open_store(store: type[S], grid: Grid, name: str, backup_count: int) -> S:
    """The store on its map, which is made sure of with its indexes."""
    return store(await grid.map(store.spec(name, backup_count)))


async def change(store: Store[V], record: Record[V], step: Callable[[V], V]) -> Record[V] | None:
    """Take a record one step, whoever else writes it meanwhile; None where it went."""
    while True:
        changed = store.written(step(record.value))
        if await store.replace(record, changed.value):
            return changed
        there = await store.get(record.key)
        if there is None:
            return None
        record = there
