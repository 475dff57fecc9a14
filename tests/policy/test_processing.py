"""The state of what was submitted through a session, and what its listener is told."""

from __future__ import annotations

from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gridsched.model.firing import FINAL, Firing, FiringState
from gridsched.model.job import Job, Retry
from gridsched.model.submission import Submission, SubmissionState
from gridsched.policy import transitions
from gridsched.policy.processing import ENDED, ProcessingState, events, state

JOB = Job("m:f", retry=Retry(3))
NOW = 1_790_000_000_000
NEW = Submission("s", "g/j", None)
ACQUIRED = Firing("g/j:g/t", NOW)
RUNNING = transitions.start(ACQUIRED, "a", "i", NOW, 9)


@pytest.mark.parametrize(
    ("firing", "expected"),
    [
        (ACQUIRED, "ASSIGNED"),
        (transitions.reject(ACQUIRED), "ASSIGNED"),
        (RUNNING, "EXECUTING"),
        (transitions.suspend(RUNNING, 1, NOW), "SUSPENDED"),
        (transitions.pause(ACQUIRED), "SUSPENDED"),
        (transitions.fail(RUNNING, JOB, "boom", NOW), "RETRY"),
        (transitions.orphan(RUNNING, replace(JOB, requests_recovery=True), NOW), "RETRY"),
        (transitions.complete(RUNNING, NOW, returned=True), "DONE"),
        (transitions.fail(RUNNING, Job("m:f"), "boom", NOW), "FAILED"),
        (transitions.orphan(RUNNING, JOB, NOW), "FAILED"),
        (transitions.skip(ACQUIRED, NOW, "late"), "FAILED"),
        (transitions.cancel(RUNNING, "no", NOW), "CANCELLED"),
    ],
)
def test_the_state_follows_the_firing(firing: Firing, expected: ProcessingState) -> None:
    assert state(NEW, firing) == expected


def test_before_there_is_a_firing_it_follows_the_submission() -> None:
    assert state(None, None) == "INITIAL"
    assert [state(replace(NEW, state=s), None) for s in get_args(SubmissionState)] == [
        "SUBMITTED",
        "SUBMITTED",
        "FAILED",
    ]


@given(st.sampled_from(get_args(FiringState)))
def test_what_is_final_has_ended_and_nothing_else_has(firing_state: FiringState) -> None:
    firing = Firing("g/j:g/t", NOW, state=firing_state)
    assert (state(NEW, firing) in ENDED) == (firing_state in FINAL)


def told(*records: Firing | None) -> list[str]:
    """What a listener hears that sees these records one after the other."""
    return [event for pair in pairwise(records) for event in events(*pair, state(NEW, pair[1]))]


def test_a_listener_is_told_of_each_step() -> None:
    half = transitions.progressed(RUNNING, 0.5, "half")
    waiting = transitions.suspend(half, 1, NOW)
    again = transitions.start(waiting, "b", "i", NOW, 9)
    done = transitions.complete(again, NOW, returned=False)
    seen = (None, ACQUIRED, RUNNING, half, half, waiting, waiting, again, done)
    assert told(*seen) == ["started", "progress", "suspended", "started", "done"]


def test_what_went_by_between_two_looks_is_told_in_order() -> None:
    done = transitions.complete(transitions.progressed(RUNNING, 1, "all"), NOW, returned=False)
    assert told(None, done) == ["started", "progress", "done"]
    assert told(None, transitions.cancel(ACQUIRED, "no", NOW)) == ["failed"]
    assert told(RUNNING, transitions.fail(RUNNING, JOB, "boom", NOW)) == []


def test_a_refused_submission_has_failed() -> None:
    assert events(None, None, state(replace(NEW, state="REJECTED"), None)) == ["failed"]
