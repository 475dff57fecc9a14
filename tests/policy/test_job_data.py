"""What a run leaves in its job's data."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gridsched.model.firing import Firing, Leaves
from gridsched.model.job import Job
from gridsched.policy.job_data import leaves, with_leaves

values = st.one_of(
    st.none(), st.booleans(), st.integers(0, 3), st.floats(0, 3), st.text(max_size=2)
)
nested = values | st.lists(values, max_size=2) | st.dictionaries(st.text(max_size=1), values)
data = st.dictionaries(st.sampled_from("abcde"), nested)


def ended(left: Leaves | None) -> Firing:
    return Firing("g/j:g/t", 1000, state="COMPLETE", job="g/j", leaves=left)


@given(data, data, data)
def test_what_a_run_changed_becomes_the_jobs_data(
    own: dict[str, Any], triggers: dict[str, Any], after: dict[str, Any]
) -> None:
    """Whatever it changed, and nothing else: what its trigger gave it stays the trigger's."""
    given_to_it = {**own, **triggers}
    job = Job("m:f", name="j", group="g", data=own)
    stored = with_leaves(job, ended(leaves(given_to_it, after))).data
    for name in given_to_it.keys() | after.keys():
        touched = (name in after) != (name in given_to_it) or (
            repr(after.get(name)) != repr(given_to_it.get(name))
        )
        source = after if touched else own
        assert repr(stored.get(name)) == repr(source.get(name))
        assert (name in stored) == (name in source)


@given(data)
def test_a_run_that_changes_nothing_leaves_nothing(given_to_it: dict[str, Any]) -> None:
    assert leaves(given_to_it, dict(given_to_it)) is None
    job = Job("m:f", name="j", group="g", data=given_to_it)
    assert with_leaves(job, ended(None)) == job


@given(data, data)
def test_storing_it_twice_is_storing_it_once(before: dict[str, Any], after: dict[str, Any]) -> None:
    firing = ended(leaves(before, after))
    once = with_leaves(Job("m:f", name="j", group="g", data=before), firing)
    assert with_leaves(once, firing) == once


def test_one_and_true_are_not_the_same() -> None:
    assert leaves({"a": 1, "b": [1]}, {"a": True, "b": [1.0]}) == Leaves({"a": True, "b": [1.0]})
