"""What is wrong with a job is refused with the field."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsched.errors import InvalidJob, InvalidKey
from gridsched.model.job import Job, check_data, check_job
from gridsched.model.retry import Retry

_HOLDS_ITSELF: list[Any] = []
_HOLDS_ITSELF.append(_HOLDS_ITSELF)


@pytest.mark.parametrize(
    ("job", "part"),
    [
        (Job("m", name="j"), "package.module:function"),
        (Job("m:", name="j"), "package.module:function"),
        (Job(":f", name="j"), "package.module:function"),
        (Job("m:f g", name="j"), "package.module:function"),
        (Job("m:f", name="j", timeout=0), "timeout is 0"),
        (Job("m:f", name="j", timeout=float("nan")), "timeout is nan"),
        (Job("m:f", name="j", executor="fork"), "executor is 'fork'"),  # type: ignore[arg-type]
        (Job("m:f", name="j", retry=Retry(0)), "retry.attempts is 0"),
        (Job("m:f", name="j", retention=-1), "retention is -1; seconds from 0, or 'keep"),
        (Job("m:f", name="j", retention=math.inf), "retention is inf"),
        (Job("m:f", name="j", retention="keep"), "retention is 'keep'"),
        (Job("m:f", name="j", retry=Retry(2, delay=-1)), "delay and max_delay >= 0"),
        (Job("m:f", name="j", retry=Retry(2, backoff=0.5)), "backoff >= 1"),
        (Job("m:f", name="j", data={"a": {1, 2}}), "data\\['a'\\] is set"),
        (Job("m:f", name="j", data={"a": [float("inf")]}), "data\\['a'\\]\\[0\\] is inf"),
        (Job("m:f", name="j", data={"a": 2**64}), "outside the 64 bits"),
        (
            Job("m:f", name="j", data={"a": ["\udce9"]}),
            "data\\['a'\\]\\[0\\] is no text that UTF-8",
        ),
        (Job("m:f", name="j", data={"a": _HOLDS_ITSELF}), "nested too deep, or holds itself"),
        (Job("m:f", name="j", data={"\udce9": 1}), "the key '.udce9' of data is no text"),
    ],
)
def test_a_wrong_job_is_refused(job: Job, part: str) -> None:
    with pytest.raises(InvalidJob, match=part):
        check_job(job)


def test_a_job_without_a_name_is_refused() -> None:
    with pytest.raises(InvalidKey):
        check_job(Job("m:f"))


json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.text(), st.floats(allow_nan=False, allow_infinity=False))
    | st.integers(-(2**63), 2**64 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json, max_size=4))
def test_any_json_is_taken(data: dict[str, Any]) -> None:
    check_data(data, "job")
