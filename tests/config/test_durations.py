from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsched.config import durations


@given(number=st.integers(0, 36_500), unit=st.sampled_from(sorted(durations.UNITS)))
def test_what_is_written_is_read(number: int, unit: str) -> None:
    expected = number * durations.UNITS[unit]
    for text in (f"{number}{unit}", f"{number} {unit.lower()}", f"00{number}{unit.capitalize()}"):
        assert durations.parse(text) == expected
        assert durations.parse(text, bare=None) == expected


@given(number=st.integers(0, 10**6), unit=st.sampled_from(sorted(durations.UNITS)))
def test_a_bare_number_has_the_unit_that_its_element_gives_it(number: int, unit: str) -> None:
    milliseconds = number * durations.UNITS[unit]
    if milliseconds <= durations.MAX_MS:
        assert durations.parse(str(number), bare=unit) == milliseconds


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert 0 <= durations.parse(text) <= durations.MAX_MS


@pytest.mark.parametrize("text", ["", "S", "-1S", "1.5S", "1H30M", "1W", "+1S", "1 0S", "１S"])
def test_anything_else_is_refused_and_told_how_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write a whole number and MS, S, M"):
        durations.parse(text)


def test_a_number_that_could_be_either_needs_its_unit() -> None:
    assert durations.parse("0", bare=None) == 0
    with pytest.raises(ValueError, match="write 30S for seconds or 30MS"):
        durations.parse("30", bare=None)


def test_a_hundred_years_is_the_bound() -> None:
    assert durations.parse("36500D") == durations.MAX_MS
    with pytest.raises(ValueError, match="longer than 100 years"):
        durations.parse("36501D")
