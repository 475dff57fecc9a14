"""Indexes on one attribute of the entries of one partition.

Both keep their keys in an order that depends on nothing but what was done to them: a simulation
that runs twice must see the same rows twice.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection
from typing import Protocol

from gridsched.grid.embedded.attributes import Attribute


class Index(Protocol):
    """Finds keys by the value of one attribute."""

    @staticmethod
    def answers(low: Attribute, high: Attribute) -> bool:
        """Whether `select` can find this range."""

    def add(self, value: Attribute, key: bytes) -> None: ...

    def remove(self, value: Attribute, key: bytes) -> None:
        """Forget a key that was added with this value."""

    def sample(self) -> Attribute | None:
        """Any value in it; None where there is none."""

    def select(self, low: Attribute, high: Attribute) -> Collection[bytes]:
        """The keys whose value lies from `low` to `high`, ends included, both of one type."""


class SortedIndex:
    """Keys in the order of their values, then of themselves.

    Two parallel lists, for a pair an entry would cost more than everything else in the index; one
    such run of numbers and one of texts, which do not compare.
    """

    __slots__ = ("_numbers", "_texts")

    def __init__(self) -> None:
        self._numbers: tuple[list[Attribute], list[bytes]] = ([], [])
        self._texts: tuple[list[Attribute], list[bytes]] = ([], [])

    @staticmethod
    def answers(low: Attribute, high: Attribute) -> bool:
        return True

    def add(self, value: Attribute, key: bytes) -> None:
        values, keys = self._texts if type(value) is str else self._numbers
        first = bisect_left(values, value)
        last = bisect_right(values, value, first)
        at = bisect_left(keys, key, first, last) if first < last else first
        values.insert(at, value)
        keys.insert(at, key)

    def remove(self, value: Attribute, key: bytes) -> None:
        values, keys = self._texts if type(value) is str else self._numbers
        first = bisect_left(values, value)
        last = bisect_right(values, value, first)
        at = bisect_left(keys, key, first, last) if first < last - 1 else first
        del values[at]
        del keys[at]

    def sample(self) -> Attribute | None:
        values = self._numbers[0] or self._texts[0]
        return values[0] if values else None

    def select(self, low: Attribute, high: Attribute) -> Collection[bytes]:
        values, keys = self._texts if type(low) is str else self._numbers
        if not values or values[0] > high:  # type: ignore[operator]
            return ()  # what every poll finds where nothing is due yet
        first = bisect_left(values, low)
        return keys[first : bisect_right(values, high, first)]


class HashIndex:
    """Keys by value, each value's in the order they came.

    A key alone with its value stands bare: a dict of one costs more than a small record.
    """

    __slots__ = ("_keys",)

    def __init__(self) -> None:
        self._keys: dict[Attribute, bytes | dict[bytes, None]] = {}

    @staticmethod
    def answers(low: Attribute, high: Attribute) -> bool:
        return low == high

    def add(self, value: Attribute, key: bytes) -> None:
        held = self._keys.get(value)
        if held is None:
            self._keys[value] = key
        elif type(held) is dict:
            held[key] = None
        else:
            self._keys[value] = {held: None, key: None}  # type: ignore[dict-item]

    def remove(self, value: Attribute, key: bytes) -> None:
        held = self._keys[value]
        if type(held) is dict:
            del held[key]
            if held:
                return
        del self._keys[value]

    def sample(self) -> Attribute | None:
        return next(iter(self._keys), None)

    def select(self, low: Attribute, high: Attribute) -> Collection[bytes]:
        held = self._keys.get(low, {})
        return held if isinstance(held, dict) else (held,)
