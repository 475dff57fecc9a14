"""What the tests of the protocol share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 60.0
"""Seconds until a condition that never comes fails its test."""

Clients = Callable[..., Any]


def eventually(condition: Callable[[], bool]) -> None:
    """Poll until the condition holds; AssertionError where it never does."""
    give_up_at = time.perf_counter() + PATIENCE
    while not condition():
        assert time.perf_counter() < give_up_at, "the condition never came"
        time.sleep(0.01)
