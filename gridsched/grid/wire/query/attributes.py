"""The attributes of an entry that queries name.

A path is names between dots, each with indexes after it: `address.lines[0]`, `tags[any]`. It
starts at the value, or after `__key` at the key; `this` is the value itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from msgspec import UNSET

from gridsched.grid.wire.errors import IllegalArgument, QueryFailed
from gridsched.grid.wire.query.compact import Compact
from gridsched.grid.wire.query.input import Schemas
from gridsched.grid.wire.query.portable import Portable
from gridsched.grid.wire.query.serialized import Json, Opaque, value_of

KEY: Final = "__key"
THIS: Final = "this"
_ANY: Final = "any"
_PART: Final = re.compile(r"([^\[\].]*)((?:\[[^\[\]]+\])*)")
_INDEX: Final = re.compile(r"\[([^\[\]]+)\]")


class Many(list[Any]):
    """What a path with `[any]` finds: any of these may match."""


class Entry:
    """A key and value, deserialized when a query first looks at them."""

    __slots__ = ("_key", "_schemas", "_value", "key_data", "value_data")

    def __init__(self, key_data: bytes, value_data: bytes, schemas: Schemas) -> None:
        self.key_data = key_data
        self.value_data = value_data
        self._schemas = schemas
        self._key: Any = UNSET
        self._value: Any = UNSET

    @property
    def key(self) -> Any:
        if self._key is UNSET:
            self._key = value_of(self.key_data, self._schemas)
        return self._key

    @property
    def value(self) -> Any:
        if self._value is UNSET:
            self._value = value_of(self.value_data, self._schemas)
        return self._value


Extract = Callable[[Entry], Any]


@lru_cache(maxsize=4096)
def attribute(path: str) -> Extract:
    """What reads the attribute at a path; None where an entry has none there."""
    if path == THIS:
        return lambda entry: entry.value
    if path == KEY:
        return lambda entry: entry.key
    if path.startswith((f"{KEY}.", f"{KEY}#")):
        steps = _steps(path[len(KEY) + 1 :])
        return lambda entry: _walk(entry.key, steps, 0)
    steps = _steps(path.removeprefix(f"{THIS}."))
    return lambda entry: _walk(entry.value, steps, 0)


Step = str | int
"""The name of a field, the index of an item, or -1 for any item."""

_EVERY: Final = -1


def _steps(path: str) -> tuple[Step, ...]:
    steps: list[Step] = []
    for part in path.split("."):
        found = _PART.fullmatch(part)
        if found is None:
            raise IllegalArgument(f"the attribute path {path!r} is not written as one")
        if found[1] or not part:
            steps.append(found[1])
        steps += [_index(index, path) for index in _INDEX.findall(found[2])]
    return tuple(steps)


def _index(text: str, path: str) -> int:
    if text == _ANY:
        return _EVERY
    if not text.isdigit():
        raise IllegalArgument(f"{text!r} is no index in the attribute path {path!r}")
    return int(text)


def _walk(held: Any, steps: tuple[Step, ...], at: int, *, json: bool = False) -> Any:
    for place in range(at, len(steps)):
        step = steps[place]
        if isinstance(held, Json):
            held, json = held.parsed, True
        if step == _EVERY:
            return _each(held, steps, place + 1, json=json)
        if isinstance(step, int):
            held = held[step] if isinstance(held, list) and step < len(held) else None
        elif json:  # JSON lacks what it has not; other values have fields or none at all
            held = held.get(step) if isinstance(held, dict) else None
        else:
            held = _field(held, step)
        if held is None:
            return None
    return held


def _each(held: Any, steps: tuple[Step, ...], at: int, *, json: bool) -> Any:
    if not isinstance(held, list):
        return None
    found = Many()
    for item in held:
        inner = _walk(item, steps, at, json=json)
        if isinstance(inner, Many):
            found += inner
        else:
            found.append(inner)
    return found


def _field(held: Any, name: str) -> Any:
    if isinstance(held, Portable | Compact):
        return held.get(name)
    if isinstance(held, Opaque):
        raise QueryFailed(f"an object of type {held.type} has no attribute {name!r} known here")
    if held is None or isinstance(held, list):
        return None
    raise QueryFailed(f"There is no suitable accessor for {name!r} on {_java_class(held)}")


def _java_class(held: object) -> str:
    names = {str: "java.lang.String", int: "java.lang.Long", float: "java.lang.Double"}
    return f"class '{names.get(type(held), 'java.lang.Object')}'"
