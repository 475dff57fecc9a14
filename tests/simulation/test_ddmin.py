"""Delta debugging comes down to what is needed, and to nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from gridsched.simulation.ddmin import ddmin


def test_it_comes_down_to_what_is_needed_together() -> None:
    tried = 0

    def fails(part: Sequence[int]) -> bool:
        nonlocal tried
        tried += 1
        return {3, 40, 77} <= set(part)

    assert ddmin(range(100), fails) == (3, 40, 77)
    assert tried < 150


def test_what_fails_without_anything_needs_nothing() -> None:
    assert ddmin(range(10), lambda _: True) == ()
    assert ddmin((), lambda _: False) == ()
    assert ddmin((1,), bool) == (1,)


def test_where_nothing_smaller_fails_all_stays() -> None:
    """As when the budget of tries is used up."""
    assert ddmin(range(5), lambda _: False) == (0, 1, 2, 3, 4)


@given(st.integers(0, 40), st.data())
def test_of_what_must_be_together_all_and_only_that_is_left(
    length: int, data: st.DataObject
) -> None:
    needed = data.draw(st.sets(st.sampled_from(range(length)))) if length else set()
    assert ddmin(range(length), lambda part: needed <= set(part)) == tuple(sorted(needed))


@given(st.integers(1, 24), st.data())
def test_no_element_is_to_spare_whatever_fails(length: int, data: st.DataObject) -> None:
    """Also where more of what fails need not fail: as orders of ready tasks have it."""
    tried: dict[tuple[int, ...], bool] = {}

    def fails(part: Sequence[int]) -> bool:
        key = tuple(part)
        if key not in tried:
            tried[key] = data.draw(st.booleans()) if len(tried) < 200 else False
        return tried[key]

    kept = ddmin(range(length), fails)
    assert list(kept) == sorted(kept)
    if len(kept) < length:
        assert tried[kept]
    if len(kept) > 1:
        assert not any(fails([each for each in kept if each != left]) for left in kept)
