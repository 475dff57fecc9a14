"""Jobs that are coroutines run on the node's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

from gridsched.jobs.plain import words_of
from gridsched.jobs.runnable import Runnable
from gridsched.node.run import Deliver, Run

_AT_ONCE: Final = 128
"""Coroutines cost no thread: this bounds how many start between two looks at the others."""


class LoopExecutor:
    """Runs coroutines as tasks of the running loop."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._tasks: dict[Run, asyncio.Task[Any]] = {}

    @property
    def free(self) -> int:
        """How many more runs may start now."""
        return _AT_ONCE

    def submit(self, run: Run, runnable: Runnable) -> None:
        """Run a coroutine function; its end is delivered on the event loop."""
        coroutine = runnable.function(**runnable.arguments(run.context))
        task = asyncio.get_running_loop().create_task(_kept_in(coroutine))
        self._tasks[run] = task
        task.add_done_callback(partial(self._ended, run))

    def abandon(self, run: Run) -> None:
        """Cancel the run's task."""
        self._tasks[run].cancel()

    async def close(self) -> None:
        """Cancel what still runs."""
        for task in self._tasks.values():
            task.cancel()

    def _ended(self, run: Run, task: asyncio.Task[Any]) -> None:
        del self._tasks[run]
        if task.cancelled():
            self._deliver(run, None, asyncio.CancelledError("the job was cancelled"))
        elif (error := task.exception()) is not None:
            self._deliver(run, None, error)
        else:
            self._deliver(run, task.result(), None)


async def _kept_in(job: Coroutine[Any, Any, Any]) -> Any:
    """A task lets these two out of the event loop, and so a job that exits would end its node."""
    try:
        return await job
    except (SystemExit, KeyboardInterrupt) as left:
        said = f"{type(left).__name__}: {words_of(left)}"
        raise RuntimeError(said).with_traceback(left.__traceback__) from left
