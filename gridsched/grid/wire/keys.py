"""Keys as the grid holds them.

A real member compares the type and the payload of keys and never their partition hash, which a
client may leave 0 where the payload itself is hashed. Here it is filled in as a key arrives, so
that equal keys are equal bytes in the embedded grid.
"""

from __future__ import annotations

import struct
from typing import Final

from gridsched.grid.data import hash_of

_HASH: Final = struct.Struct(">i")
_NONE: Final = b"\0\0\0\0"
_HASH_SIZE: Final = 4


def key_of(data: bytes) -> bytes:
    """The key with its partition hash."""
    if data[:_HASH_SIZE] != _NONE:
        return data
    return _HASH.pack(hash_of(data)) + data[_HASH_SIZE:]


def as_sent(key: bytes) -> bytes:
    """The key as clients send it, who leave out the hash where it is that of the payload."""
    bare = plain(key)
    return bare if key_of(bare) == key else key


def plain(data: bytes) -> bytes:
    """A value without a partition hash: what a member compares values by."""
    return data if data[:_HASH_SIZE] == _NONE else _NONE + data[_HASH_SIZE:]
