"""Delta debugging: of a list that makes something fail, a part that still does and has nothing to spare.

The algorithm is `ddmin` of Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
IEEE Transactions on Software Engineering 28(2), 2002.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")


def ddmin(elements: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> tuple[T, ...]:
    """A part of the elements, in their order, that fails; without any one of its elements it does
    not. All of them are taken to fail, and are not tried."""
    kept, parts = tuple(elements), 2
    if kept and fails(()):
        return ()
    while len(kept) > 1:
        chunks = _split(kept, parts)
        smaller = next((chunk for chunk in chunks if fails(chunk)), None)
        if smaller is not None:
            kept, parts = smaller, 2
            continue
        rests = [_without(chunks, number) for number in range(len(chunks))] if parts > 2 else []
        smaller = next((rest for rest in rests if fails(rest)), None)
        if smaller is not None:
            kept, parts = smaller, parts - 1
        elif parts < len(kept):
            parts = min(len(kept), 2 * parts)
        else:
            break
    return kept


def _split(elements: tuple[T, ...], parts: int) -> list[tuple[T, ...]]:
    """So many parts of about the same length, none empty."""
    ends = [len(elements) * number // parts for number in range(parts + 1)]
    return [elements[first:last] for first, last in pairwise(ends)]


def _without(chunks: Sequence[tuple[T, ...]], left_out: int) -> tuple[T, ...]:
    return tuple(each for at, chunk in enumerate(chunks) if at != left_out for each in chunk)
