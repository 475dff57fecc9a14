"""Which function answers which request.

A handler is called with the endpoint and the fields of the request, the variable-size ones first
(see `codec`). It returns the fields of the response, a single one bare, or raises a ServerError.
One that has to wait returns a coroutine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from gridsched.grid.wire.codec import Decode, Response
from gridsched.grid.wire.messages import DEFINITIONS, operation

Handler = Callable[..., Any]
H = TypeVar("H", bound=Handler)


class Answer(NamedTuple):
    """How one request is answered. `is_open` ones need no authentication; the changes of those
    that `backs_up` are acknowledged by the backups.
    """

    decode: Decode
    handle: Handler
    response: Response
    is_open: bool
    backs_up: bool


_registered: dict[int, tuple[str, Handler, bool, bool]] = {}
_built: dict[int, Answer] = {}


def answers(*names: str, is_open: bool = False, backs_up: bool = False) -> Callable[[H], H]:
    """Let a function answer the requests of these names."""

    def register(handle: H) -> H:
        for name in names:
            _registered[DEFINITIONS[name].id] = (name, handle, is_open, backs_up)
        return handle

    return register


def find(type: int) -> Answer | None:
    """What answers requests of this type; None where nothing does. Codecs are built at need."""
    found = _built.get(type)
    if found is None and type in _registered:
        name, handle, is_open, backs_up = _registered[type]
        decode, response = operation(DEFINITIONS[name])
        found = _built[type] = Answer(decode, handle, response, is_open, backs_up)
    return found
