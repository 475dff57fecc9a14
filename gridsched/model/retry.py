"""When what failed is tried again."""

from __future__ import annotations

import msgspec

from gridsched.errors import InvalidJob


class Retry(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """When a failed run is tried again. Times are in seconds.

    Attempt n + 1 is due `delay` * `backoff` ** (n - 1) seconds, at most `max_delay`, after attempt
    n failed; there are `attempts` in all. `jitter` is the part of the delay, 0 to 1, by which it is
    made longer or shorter: as a function of the firing and its attempt, so the same on every node.
    """

    attempts: int
    delay: float = 1.0
    backoff: float = 2.0
    max_delay: float = 3600.0
    jitter: float = 0.0


def check_retry(retry: Retry, owner: str) -> None:
    """InvalidJob, naming the owner and the field, where the policy cannot be."""
    if retry.attempts < 1:
        raise InvalidJob(f"{owner}: retry.attempts is {retry.attempts}; at least 1")
    if retry.delay < 0 or retry.max_delay < 0 or retry.backoff < 1:
        raise InvalidJob(f"{owner}: retry needs delay and max_delay >= 0 and backoff >= 1")
    if not 0 <= retry.jitter <= 1:
        raise InvalidJob(f"{owner}: retry.jitter is {retry.jitter}; a part of the delay, 0 to 1")
