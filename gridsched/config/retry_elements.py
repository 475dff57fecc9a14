"""`scheduler:retry`, of a job and of an event."""

from __future__ import annotations

from typing import Final

from gridsched.config.kinds import NUMBER, SECONDS, whole
from gridsched.config.schema import Branch, Fields, Leaf, Reading
from gridsched.model.retry import Retry


def _retry(fields: Fields, _reading: Reading) -> Retry:
    return Retry(**fields.values)


RETRY: Final = Branch(
    "scheduler:retry",
    "retry",
    _retry,
    (
        Leaf("scheduler:attempts", "attempts", whole("number"), "Runs in all.", required=True),
        Leaf("scheduler:delay", "delay", SECONDS, "Before the second run.", "1S"),
        Leaf("scheduler:backoff", "backoff", NUMBER, "Factor of each later delay.", "2"),
        Leaf("scheduler:maxdelay", "max_delay", SECONDS, "Bound of the delays.", "1H"),
        Leaf(
            "scheduler:jitter",
            "jitter",
            NUMBER,
            "Part of a delay, 0 to 1, by which it is made longer or shorter.",
            "0",
        ),
    ),
    "When what failed is tried again; without it a run never, and the delivery of an event for a day.",
)
