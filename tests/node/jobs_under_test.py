"""Jobs that the tests of the node run. All but `blocking` run on the loop, on virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

from gridsched.jobs.context import JobContext


async def note(context: JobContext) -> int:
    return context.attempt


async def echo(value: Any = None) -> Any:
    return value


async def take(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def fail(context: JobContext, times: int = 1_000_000) -> str:
    if context.attempt <= times:
        raise ValueError("it fails")
    return "at last"


async def not_json() -> Any:
    return object()


def blocking(value: int = 0) -> int:
    return value + 1


not_callable = 7


async def reporting(context: JobContext) -> str:
    for step in range(1, 5):
        context.progress(step / 4, f"step {step}")
        await asyncio.sleep(2)
    return "reported"


async def too_far(context: JobContext) -> None:
    context.progress(1.5)
