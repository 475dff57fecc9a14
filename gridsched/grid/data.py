"""Hazelcast's `Data`: the bytes in which every key and value crosses the port.

    4 bytes  partition hash, big endian, 0 where the payload itself is hashed
    4 bytes  type id, big endian
    payload

The layout and the type ids are those of Hazelcast's serialization (HeapData, and the constants of
the Python client's `serialization_const`); the partition of a key is murmur3 of the payload of its
partition key. The port speaks these bytes so that a real member, the embedded grid and the protocol
server in front of it share one form, and nothing is converted on the way.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Final

import mmh3

PARTITION_COUNT: Final = 271
"""Hazelcast's default number of partitions."""

TYPE_STRING: Final = -11
TYPE_JSON: Final = -130

_HEADER = struct.Struct(">iii")
_HASH = struct.Struct(">i")
_SEED: Final = 0x01000193
_INT_MIN: Final = -(2**31)
_PAYLOAD: Final = 8
_TEXT: Final = 12


@lru_cache(maxsize=131072)
def partition_hash(partition_key: str) -> int:
    """Hazelcast's hash of a string partition key: murmur3 of its serialized payload."""
    text = partition_key.encode()
    return mmh3.hash(_HASH.pack(len(text)) + text, _SEED)


def string_key(text: str, partition_key: str) -> bytes:
    """A string key that lives in the partition of `partition_key`."""
    raw = text.encode()
    return _HEADER.pack(partition_hash(partition_key), TYPE_STRING, len(raw)) + raw


def json_value(raw: bytes) -> bytes:
    """A HazelcastJsonValue of the JSON text `raw` (UTF-8)."""
    return _HEADER.pack(0, TYPE_JSON, len(raw)) + raw


def text_of(data: bytes) -> bytes:
    """The UTF-8 text inside a string key or a JSON value, without a copy of the header."""
    return data[_TEXT:]


def hash_of(data: bytes) -> int:
    """The partition hash of any key: the one it carries, or that of its payload."""
    carried: int = _HASH.unpack_from(data)[0]
    return carried if carried else mmh3.hash(data[_PAYLOAD:], _SEED)


def partition_of(data: bytes, count: int = PARTITION_COUNT) -> int:
    """The partition of a key among `count`: Hazelcast's HashUtil.hashToIndex."""
    value = hash_of(data)
    return 0 if value == _INT_MIN else abs(value) % count
