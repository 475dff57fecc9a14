"""Settings given by keyword: what is wrong is said, naming the setting."""

from __future__ import annotations

import pytest

from gridsched.client.resolve import resolve
from gridsched.errors import ConfigurationError
from gridsched.model.dispatch import Rule, RuleBased


def test_one_pattern_may_be_given_alone() -> None:
    assert resolve(None, {"allowed_jobs": "shop.tasks:*"}).settings.allowed_jobs == (
        "shop.tasks:*",
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"max_threads": "10"}, "max_threads is '10'"),
        ({"max_threads": 0}, "max_threads is 0; it must be at least 1"),
        ({"max_thread": 1}, "no such setting: max_thread"),
        ({"dispatcher_policy": "Lottery"}, "dispatcher_policy is 'Lottery'"),
        ({"dispatcher_policy": RuleBased((Rule("(", "", ""),))}, "rule 1: task_type '\\('"),
        ({"attributes": {"gpu": 1}}, "attributes is"),
        ({"server_count": 0}, "server_count is 0; it must be at least 1"),
        ({"server_count": 2, "single_server_mode": True}, "the only one, and server_count is 2"),
        ({"poll_interval_ms": 2000}, "look_ahead_ms is 1000"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        resolve(None, changes)
