"""Jobs for the demo, the tutorial and the benchmarks."""

from __future__ import annotations

import asyncio
import hashlib

from gridsched.jobs.context import JobContext


def hello(name: str = "world") -> str:
    """Greets."""
    return f"hello, {name}"


def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


async def tick(context: JobContext) -> str:
    """Says for which instant it ran."""
    return context.scheduled_time.isoformat()


async def wait(seconds: float = 0.1) -> None:
    """Waits on the event loop, as a job that asks a remote service would."""
    await asyncio.sleep(seconds)


def count_primes(below: int = 20_000) -> int:
    """Keeps a core busy: for a process."""
    return sum(all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(2, below))


def flaky(context: JobContext, failures: int = 1) -> str:
    """Fails on its first `failures` attempts, then works: for a retry policy."""
    if context.attempt <= failures:
        raise RuntimeError(f"attempt {context.attempt} fails on purpose")
    return f"worked at attempt {context.attempt}"


def digest(text: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def nothing() -> None:
    """Does nothing, in a thread."""


async def nothing_async() -> None:
    """Does nothing, on the event loop."""
