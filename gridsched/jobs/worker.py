"""The child process that runs jobs of executor "process": an order in, what the job says of its run
and an answer out, each a line of JSON.

Started by the node (`node.shell.processes`), which alone decides what may be run. Its
standard output is the node's; what jobs print goes to standard error.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, Final

import msgspec

from gridsched.jobs.context import JobContext, Word, Yield
from gridsched.jobs.plain import plain, words_of
from gridsched.jobs.targets import Targets
from gridsched.model.firing import Firing
from gridsched.model.job import check_data

_PR_SET_PDEATHSIG: Final = 1


class Order(msgspec.Struct, frozen=True):
    """One run to make."""

    target: str
    firing: Firing
    data: dict[str, Any]
    persist_data: bool = False


class Answer(msgspec.Struct, frozen=True, omit_defaults=True, tag="answer"):
    """What it came to: `error` is the last line of its traceback, `trace` all of it; `yielded` the
    seconds after which it is to go on; `data` what a job whose data persist has left of them."""

    value: Any = None
    data: dict[str, Any] | None = None
    error: str = ""
    trace: str = ""
    yielded: float | None = None


def carry_out(order: Order, report: Callable[[Word], None]) -> Answer:
    """Run one job; what it raises becomes the answer."""
    try:
        target = Targets([order.target]).resolve(order.target)
        context = JobContext(order.firing, order.data, report)
        value = target.function(**target.arguments(context))
        if target.is_coroutine:
            value = asyncio.run(value)
        msgspec.json.encode(value)
        if order.persist_data:
            check_data(context.data, "what it left")
    except Yield as asked:
        return Answer(yielded=asked.seconds)
    except Exception as error:
        said = f"{type(error).__name__}: {words_of(error)}"
        return Answer(error=said, trace=plain(traceback.format_exc()))
    return Answer(value=value, data=context.data if order.persist_data else None)


def _end_with(node: int) -> None:
    """Have the system end this process when its node, or the thread of it that has the loop, ends in
    whatever way: what others may run again must not go on unseen. Only Linux does that; elsewhere
    a run goes on until it says something of itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != node:  # it has ended already
        os._exit(1)


def main() -> None:
    _end_with(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def say(message: Answer | Word) -> None:
        answers.write(msgspec.json.encode(message) + b"\n")
        answers.flush()

    decoder = msgspec.json.Decoder(Order)
    for line in sys.stdin.buffer:
        say(carry_out(decoder.decode(line), say))
