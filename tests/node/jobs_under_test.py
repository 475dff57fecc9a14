"""Jobs that the tests of the node run. All but `blocking` run on the loop, on virtual time."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import Any

from gridsched.jobs.context import JobContext, Yield


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


async def in_pairs(context: JobContext, pairs: int) -> None:
    """Says two things every six seconds, the second when the first is just being written."""
    for n in range(pairs):
        context.progress(n / pairs, f"pair {n}, first")
        await asyncio.sleep(0.505)
        context.progress(n / pairs, f"pair {n}, second")
        await asyncio.sleep(4.995)


async def too_far(context: JobContext) -> None:
    context.progress(1.5)


async def in_steps(context: JobContext, steps: int = 10, fail_at: int = 0) -> list[int]:
    """A step a second, each a checkpoint; what this run did itself is returned."""
    done = context.last_checkpoint or 0
    own = []
    while done < steps:
        await asyncio.sleep(1)
        done += 1
        own.append(done)
        context.checkpoint(done)
        if done == fail_at:
            raise ValueError("it fails on the way")
    return own


async def in_turns(context: JobContext, turns: int = 3, seconds: float = 5) -> int:
    turn = (context.last_checkpoint or 0) + 1
    context.checkpoint(turn)
    context.progress(turn / turns, f"turn {turn}")
    if turn < turns:
        raise Yield(seconds)
    return turn


def thread_in_turns(context: JobContext) -> int:
    turn = (context.last_checkpoint or 0) + 1
    context.checkpoint(turn)
    if turn < 3:
        raise Yield
    return turn


async def too_big(context: JobContext) -> None:
    context.checkpoint("x" * 70_000)


async def count(context: JobContext, step: int = 1, seconds: float = 0.0) -> int:
    """Counts in its job's data."""
    await asyncio.sleep(seconds)
    context.data["runs"] = context.data.get("runs", 0) + step
    if context.data.get("fail_at") == context.data["runs"]:
        raise ValueError("it fails")
    return int(context.data["runs"])


def count_blocking(context: JobContext) -> int:
    context.data["seen"].append(context.attempt)
    return len(context.data["seen"])


async def leave_no_json(context: JobContext) -> None:
    context.data["what"] = {1, 2}


async def in_turn(context: JobContext, values: list[Any]) -> Any:
    """The first value on the first minute's fifth second, the next ten seconds later, and so on."""
    seconds = int(context.scheduled_time.timestamp()) - 1_790_000_000
    return values[max(0, seconds - 5) // 10 % len(values)]


NO_UTF8 = "caf\udce9"
"""As the system gives the name of a file that is written in Latin-1."""


class _Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even that")


async def miss_a_file() -> None:
    raise FileNotFoundError(NO_UTF8)


async def progress_at_a_file(context: JobContext) -> None:
    context.progress(0.5, NO_UTF8)
    await asyncio.sleep(3)


async def leave_the_name_of_a_file(context: JobContext) -> None:
    context.data["name"] = NO_UTF8


async def leave_what_holds_itself(context: JobContext) -> None:
    context.data["it"] = [context.data]


async def return_the_name_of_a_file() -> str:
    return NO_UTF8


async def raise_what_says_nothing() -> None:
    raise _Mute


async def progress_by_fractions(context: JobContext) -> None:
    context.progress(Fraction(1, 4))
    await asyncio.sleep(2)


async def leave_the_process() -> None:
    raise SystemExit(3)
