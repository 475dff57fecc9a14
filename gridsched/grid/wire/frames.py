"""Frames, and the messages made of them.

    4 bytes  frame length, header included, little endian
    2 bytes  flags, little endian
    payload

A message ends with the frame that has the final flag. Its first frame starts with message type
(int) and correlation id (long), then in a request the partition id (int). A message too long for
its sender comes in fragments, each a message whose first frame holds the fragmentation id instead.
Source: the frame layout in the protocol's reference, and ClientMessage of the Java client.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

Frame = tuple[int, bytes]
"""Flags and payload."""

BEGIN_FRAGMENT: Final = 1 << 15
END_FRAGMENT: Final = 1 << 14
UNFRAGMENTED: Final = BEGIN_FRAGMENT | END_FRAGMENT
FINAL: Final = 1 << 13
BEGIN_STRUCTURE: Final = 1 << 12
END_STRUCTURE: Final = 1 << 11
NULL: Final = 1 << 10
EVENT: Final = 1 << 9
BACKUP_AWARE: Final = 1 << 8
BACKUP_EVENT: Final = 1 << 7

HEADER: Final = struct.Struct("<iH")
HEADER_SIZE: Final = HEADER.size
REQUEST: Final = struct.Struct("<iqi")
"""Message type, correlation id, partition id."""

_FRAGMENTATION_ID: Final = struct.Struct("<q")
_MAX_FRAGMENTED: Final = 64
"""Messages of one client that may be waiting for more fragments at the same time."""


class MalformedMessage(Exception):
    """Bytes that are no message of the protocol, or exceed a limit."""


class Message(NamedTuple):
    """One request. `frames[0]` is the initial frame, the fixed-size fields after its header."""

    type: int
    correlation: int
    partition: int
    frames: Sequence[Frame]


def message_of(frames: Sequence[Frame]) -> Message:
    """A whole message; MalformedMessage where its first frame is too short to have a header."""
    initial = frames[0][1]
    if len(initial) < REQUEST.size:
        raise MalformedMessage(f"an initial frame of {len(initial)} bytes")
    type, correlation, partition = REQUEST.unpack_from(initial)
    return Message(type, correlation, partition, frames)


def pack(frames: Sequence[Frame]) -> bytes:
    """The bytes of a message: its last frame gets the final flag."""
    header = HEADER.pack
    parts: list[bytes] = []
    for flags, payload in frames:
        parts.append(header(HEADER_SIZE + len(payload), flags))
        parts.append(payload)
    flags, payload = frames[-1]
    parts[-2] = header(HEADER_SIZE + len(payload), flags | FINAL)
    return b"".join(parts)


class MessageReader:
    """Cuts a stream of bytes into messages.

    `limit` bounds the bytes of one message, fragments included, and of all that wait for more
    fragments; it may be raised once the sender is known.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._rest = bytearray()
        self._needed = HEADER_SIZE
        self._frames: list[Frame] = []
        self._held = 0
        self._fragments: dict[int, list[Frame]] = {}
        self._fragment_bytes = 0

    def feed(self, chunk: bytes) -> Iterator[Message]:
        """The messages that `chunk` completes. MalformedMessage ends the stream."""
        if self._rest:
            self._rest += chunk
            if len(self._rest) < self._needed:
                return
            chunk = bytes(self._rest)
            self._rest.clear()
        elif len(chunk) < self._needed:
            self._rest += chunk
            return
        yield from self._cut(chunk)

    def _cut(self, chunk: bytes) -> Iterator[Message]:
        header, size = HEADER.unpack_from, len(chunk)
        at, frames = 0, self._frames
        self._needed = HEADER_SIZE
        while size - at >= HEADER_SIZE:
            length, flags = header(chunk, at)
            if length < HEADER_SIZE or self._held + length > self.limit:
                raise MalformedMessage(f"a frame of {length} bytes")
            end = at + length
            if end > size:
                self._needed = length
                break
            frames.append((flags, chunk[at + HEADER_SIZE : end]))
            at = end
            self._held += length
            if flags & FINAL:
                whole = self._assembled(frames)
                frames = self._frames = []
                self._held = 0
                if whole is not None:
                    yield message_of(whole)
        self._rest += chunk[at:]

    def _assembled(self, frames: list[Frame]) -> list[Frame] | None:
        """The message that these frames are or complete; None where more fragments must come."""
        flags, payload = frames[0]
        if flags & UNFRAGMENTED == UNFRAGMENTED:
            return frames
        if len(payload) < _FRAGMENTATION_ID.size:
            raise MalformedMessage("a fragment without its id")
        (id,) = _FRAGMENTATION_ID.unpack_from(payload)
        self._fragment_bytes += self._held
        if self._fragment_bytes > self.limit:
            raise MalformedMessage("fragments without an end")
        if flags & BEGIN_FRAGMENT:
            if len(self._fragments) >= _MAX_FRAGMENTED:
                raise MalformedMessage("too many messages in fragments")
            self._fragments[id] = frames[1:]
            return None
        if id not in self._fragments:
            raise MalformedMessage("a fragment of a message that never began")
        self._fragments[id] += frames[1:]
        if not flags & END_FRAGMENT:
            return None
        whole = self._fragments.pop(id)
        if not self._fragments:
            self._fragment_bytes = 0
        if not whole:
            raise MalformedMessage("fragments of an empty message")
        return whole
