"""Requests to values, and values to responses and events, as the table of messages has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from gridsched.grid.wire.frames import (
    BACKUP_EVENT,
    EVENT,
    REQUEST,
    UNFRAGMENTED,
    Frame,
    Message,
    pack,
)
from gridsched.grid.wire.types import FIXED, Fixed, Frames, fields_of, type_of

_RESPONSE_HEADER: Final = "<iqB"
_EVENT_HEADER: Final = "<iqi"
_NO_PARTITION: Final = -1
_FIRST_VARIABLE: Final = 1
_ERROR_TYPE: Final = 0

Decode = Callable[[Message], Sequence[Any]]


class Fields:
    """The fields of a request, response or event; values are taken and given in this order:
    variable-size fields first, then fixed-size ones, each as declared.
    """

    def __init__(self, spec: str, header: str) -> None:
        declared = fields_of(spec)
        self.fixed = Fixed([kind for _, kind in declared if kind in FIXED], header)
        self.variable = [type_of(kind) for _, kind in declared if kind not in FIXED]
        self.count = len(declared)
        self.fixed_count = self.count - len(self.variable)


def request_decoder(spec: str) -> Decode:
    """What reads the fields of a request. MalformedMessage where they are not all there."""
    fields = Fields(spec, "<")
    offset = REQUEST.size
    unpack, variable = fields.fixed.unpack, fields.variable

    def decode(message: Message) -> Sequence[Any]:
        frames = Frames(message.frames, _FIRST_VARIABLE)
        values = [of.read(frames) for of in variable]
        if fields.fixed_count:
            values += unpack(message.frames[0][1], offset)
        return values

    return decode


class Response:
    """Encodes the responses of one request. A single field's value is given bare."""

    def __init__(self, type: int, spec: str) -> None:
        self._type = type
        fields = Fields(spec, _RESPONSE_HEADER)
        self._variable = fields.variable
        self._pack = fields.fixed.pack
        self._single = fields.count == 1
        self._empty = fields.count == 0

    def encode(self, correlation: int, values: Any, backup_acks: int = 0) -> bytes:
        if self._empty:
            values = ()
        elif self._single:
            values = (values,)
        variable = self._variable
        initial = self._pack(self._type, correlation, backup_acks, *values[len(variable) :])
        frames: list[Frame] = [(UNFRAGMENTED, initial)]
        for of, value in zip(variable, values, strict=False):
            of.write(frames, value)
        return pack(frames)


class Event:
    """Encodes one kind of event."""

    def __init__(self, type: int, spec: str, *, backup: bool = False) -> None:
        self._type = type
        self._flags = UNFRAGMENTED | EVENT | (BACKUP_EVENT if backup else 0)
        fields = Fields(spec, _EVENT_HEADER)
        self._variable = fields.variable
        self._pack = fields.fixed.pack

    def encode(self, correlation: int, *values: Any, partition: int = _NO_PARTITION) -> bytes:
        """`correlation` is that of the request which registered the listener."""
        variable = self._variable
        initial = self._pack(self._type, correlation, partition, *values[len(variable) :])
        frames: list[Frame] = [(self._flags, initial)]
        for of, value in zip(variable, values, strict=False):
            of.write(frames, value)
        return pack(frames)


_ERRORS: Final = Response(_ERROR_TYPE, "errors:List_ErrorHolder")


def encode_errors(
    correlation: int, holders: Sequence[tuple[int, str, str | None, Sequence[Any]]]
) -> bytes:
    """The response that a request failed, with the error and its causes."""
    return _ERRORS.encode(correlation, holders)
