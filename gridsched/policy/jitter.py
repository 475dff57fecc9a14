"""Jitter: starts, and the delays of retries, spread out by a hash of the firing's key, so that every
node finds the same."""

from __future__ import annotations

import mmh3

from gridsched.model.retry import Retry


def offset(key: str, jitter: float) -> int:
    """By how much (ms) the start of the firing of that key moves: from 0 to below `jitter` seconds."""
    return int(_fraction(key) * jitter * 1000) if jitter else 0


def retry_delay(retry: Retry, attempt: int, key: str) -> int:
    """How long (ms) after attempt `attempt` of a firing failed the next one is due."""
    delay = min(retry.delay * retry.backoff ** (attempt - 1), retry.max_delay)
    if retry.jitter:
        spread = 2 * _fraction(f"{key}#{attempt}") - 1
        delay = min(delay * (1 + retry.jitter * spread), retry.max_delay)
    return round(delay * 1000)


def _fraction(text: str) -> float:
    """From 0 to below 1, the same for the same text."""
    return float(mmh3.hash(text, signed=False) / 2**32)
