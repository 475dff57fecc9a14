"""The requests of `compare_and_set`, with all that is the same for every change encoded once.

The client's codecs spend most of a change's time on building the same first frames again. Here
they build them once a map; what remains is to join three frames.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

from hazelcast.protocol.client_message import OutboundMessage
from hazelcast.protocol.codec import (
    map_put_if_absent_codec,
    map_remove_if_same_codec,
    map_replace_if_same_codec,
)
from hazelcast.serialization.data import Data

from gridsched.grid.port import Change, Outcome

Decode = Callable[[Any], Outcome]

_FRAME: Final = struct.Struct("<iH")
_FRAME_SIZE: Final = _FRAME.size
_LAST: Final = 1 << 13
_NO_DATA: Final = Data(b"")
_NO_THREAD: Final = 0
"""Map locks belong to threads; no change here is made under one."""
_MAP_TTL: Final = -1
"""The time to live that the map is configured with."""


class ChangeRequests:
    """Encodes the changes of one map."""

    __slots__ = ("_put", "_remove", "_replace")

    def __init__(self, map_name: str) -> None:
        self._put = _head(
            map_put_if_absent_codec.encode_request(
                map_name, _NO_DATA, _NO_DATA, _NO_THREAD, _MAP_TTL
            ),
            frames=2,
        )
        self._replace = _head(
            map_replace_if_same_codec.encode_request(
                map_name, _NO_DATA, _NO_DATA, _NO_DATA, _NO_THREAD
            ),
            frames=3,
        )
        self._remove = _head(
            map_remove_if_same_codec.encode_request(map_name, _NO_DATA, _NO_DATA, _NO_THREAD),
            frames=2,
        )

    def of(self, change: Change) -> tuple[Any, Decode]:
        """The request of a change, and what reads its outcome from the answer."""
        key, old, new = change
        if old is None:
            if new is None:
                raise ValueError("a change has an old value, a new one or both")
            return _message((self._put, _frame(key), key, _last(new), new)), _was_absent
        if new is None:
            return _message((self._remove, _frame(key), key, _last(old), old)), _was_removed
        parts = (self._replace, _frame(key), key, _frame(old), old, _last(new), new)
        return _message(parts), _was_replaced


def _head(request: Any, frames: int) -> bytes:
    """What comes before the `frames` empty frames of data at the end of a request."""
    return bytes(request.buf[: -frames * _FRAME_SIZE])


def _frame(payload: bytes) -> bytes:
    return _FRAME.pack(_FRAME_SIZE + len(payload), 0)


def _last(payload: bytes) -> bytes:
    return _FRAME.pack(_FRAME_SIZE + len(payload), _LAST)


def _message(parts: tuple[bytes, ...]) -> Any:
    # The client writes its correlation and partition ids into the buffer.
    return OutboundMessage(bytearray(b"".join(parts)), False)


def _was_absent(answer: Any) -> Outcome:
    found = map_put_if_absent_codec.decode_response(answer)
    return Outcome.APPLIED if found is None else Outcome.REFUSED


def _was_replaced(answer: Any) -> Outcome:
    done = map_replace_if_same_codec.decode_response(answer)
    return Outcome.APPLIED if done else Outcome.REFUSED


def _was_removed(answer: Any) -> Outcome:
    done = map_remove_if_same_codec.decode_response(answer)
    return Outcome.APPLIED if done else Outcome.REFUSED
