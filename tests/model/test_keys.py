"""Written keys: any printable names, in one way only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsched.errors import InvalidKey
from gridsched.model.keys import (
    MAX_NAME,
    KeyParts,
    decode_name,
    encode_name,
    firing_key,
    job_key,
    job_of,
    parse_key,
    trigger_key,
    trigger_of,
)

names = st.text(min_size=1, max_size=30).filter(str.isprintable)
separated = st.text("/:@%2F", min_size=1, max_size=12)
any_name = st.one_of(names, separated)


@given(any_name)
def test_a_name_is_read_as_it_was_written(name: str) -> None:
    written = encode_name(name)
    assert decode_name(written) == name
    assert not {"/", ":", "@"} & set(written)


@given(any_name, any_name, any_name, any_name, st.integers(0, 2**53))
def test_a_key_is_read_as_it_was_written(
    group: str, name: str, trigger_group: str, trigger_name: str, scheduled: int
) -> None:
    job = job_key(group, name)
    trigger = trigger_key(job, trigger_group, trigger_name)
    firing = firing_key(trigger, scheduled)
    assert parse_key(job) == KeyParts(group, name)
    assert parse_key(trigger) == KeyParts(group, name, trigger_group, trigger_name)
    assert parse_key(firing) == KeyParts(group, name, trigger_group, trigger_name, scheduled)
    assert job_of(firing) == job_of(trigger) == job_of(job) == job
    assert trigger_of(firing) == trigger_of(trigger) == trigger


@given(any_name, any_name, any_name, any_name)
def test_different_names_make_different_keys(a: str, b: str, c: str, d: str) -> None:
    assert (job_key(a, b) == job_key(c, d)) == ((a, b) == (c, d))


@pytest.mark.parametrize("name", ["", "a\nb", "\x00", "x" * (MAX_NAME + 1), "\u200b"])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidKey, match="printable"):
        encode_name(name)


@pytest.mark.parametrize(
    "written",
    [
        *("", "a", "a/", "/b", "a/b/c", "a/b:", "a/b:c", "a/b:c/"),
        *("a%/b", "a%2f/b", "%41/b", "a/b%", "a\n/b", "a/b:c%3a/d"),
        *("a/b@5", "a/b:c/d@", "a/b:c/d@-5", "a/b:c/d@007", "a/b:c/d@" + "9" * 5000),
        *("a/b:c/d@\u0663", "a/b:c/d@\u00b2"),
    ],
)
def test_what_is_no_key_is_refused(written: str) -> None:
    with pytest.raises(InvalidKey):
        parse_key(written)
