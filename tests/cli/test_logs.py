"""What a node's log leaves out."""

from __future__ import annotations

import logging

from gridsched.cli.logs import AGAIN_AFTER, ClientRarely

TRYING = "retry in %.2fs, attempt: %d of %s"


def passes(filtered: ClientRarely, at: float, *args: object, name: str = "hazelcast.x") -> bool:
    record = logging.LogRecord(name, logging.WARNING, "f", 1, TRYING, args, None)
    record.created = at
    return filtered.filter(record)


def test_what_the_client_repeats_is_said_once_a_minute() -> None:
    filtered = ClientRarely()
    assert passes(filtered, 0, 0.1, 1, "a")
    assert not passes(filtered, 1, 0.2, 2, "a")
    assert passes(filtered, 1, 0.2, 2, "b"), "another address"
    assert passes(filtered, AGAIN_AFTER, 1.0, 70, "a")
    assert not passes(filtered, AGAIN_AFTER + 1, 1.0, 71, "a")


def test_our_own_is_never_left_out() -> None:
    filtered = ClientRarely()
    assert all(passes(filtered, 0, 0.1, 1, "a", name="gridsched.timer") for _ in range(2))
