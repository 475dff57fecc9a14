"""Processes that run jobs which keep a core busy. Unlike a thread, one can be ended."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from gridsched.jobs.context import Word, Yield
from gridsched.jobs.runnable import Runnable
from gridsched.jobs.worker import Answer, Order
from gridsched.node.run import Deliver, Run


class ProcessFailed(Exception):
    """A job failed in its process, or the process ended under it. The text is the job's error,
    `trace` the traceback there."""

    def __init__(self, error: str, trace: str = "") -> None:
        super().__init__(error)
        self.trace = trace


class ProcessExecutor:
    """Up to `size` child processes, started as they are needed and used again."""

    def __init__(self, size: int, deliver: Deliver) -> None:
        self._size = size
        self._deliver = deliver
        self._idle: list[asyncio.subprocess.Process] = []
        self._tasks: dict[Run, asyncio.Task[None]] = {}

    @property
    def free(self) -> int:
        """How many more runs may start now."""
        return self._size - len(self._tasks)

    def submit(self, run: Run, _runnable: Runnable) -> None:
        """Run a job in a process, which loads its target itself; its end is delivered on the event
        loop."""
        order = Order(
            run.job.target, run.firing.value, dict(run.context.data), run.job.persist_data
        )
        task = asyncio.get_running_loop().create_task(self._serve(run, order))
        self._tasks[run] = task

    def abandon(self, run: Run) -> None:
        """End the run's process."""
        task = self._tasks.pop(run, None)
        if task is not None:
            task.cancel()

    async def close(self) -> None:
        """End every process, whatever it does."""
        for run in list(self._tasks):
            self.abandon(run)
        for process in self._idle:
            if process.returncode is None:
                process.kill()
                await process.wait()
        self._idle.clear()

    async def _serve(self, run: Run, order: Order) -> None:
        value: Any = None
        error: BaseException | None = None
        try:
            answer = await self._ask(run, order)
            value = answer.value
            if answer.yielded is not None:
                error = Yield(answer.yielded)
            elif answer.error:
                error = ProcessFailed(answer.error, answer.trace)
            if answer.data is not None:
                run.context.data = answer.data
        except Exception as raised:
            error = ProcessFailed(f"its process could not run it: {raised}")
        if self._tasks.pop(run, None) is not None:
            self._deliver(run, value, error)

    async def _ask(self, run: Run, order: Order) -> Answer:
        process = self._idle.pop() if self._idle else await spawn("gridsched.jobs.worker")
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(msgspec.json.encode(order) + b"\n")
            await process.stdin.drain()
            answer: Answer | None = None
            while answer is None:
                line = await process.stdout.readline()
                if not line:
                    code = await process.wait()
                    return Answer(error=f"its process ended with exit code {code}")
                said = _decode(line)
                if isinstance(said, Answer):
                    answer = said
                else:
                    run.report(said)
        except BaseException:
            if process.returncode is None:
                process.kill()
            raise
        self._idle.append(process)
        return answer


_decode: Callable[[bytes], Answer | Word] = msgspec.json.Decoder(Answer | Word).decode


async def spawn(module: str) -> asyncio.subprocess.Process:
    """A child that runs the `main` of a module; its only argument is the id of this process."""
    paths = [path for path in sys.path if path]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"import sys; sys.path[:] = {paths!r}; from {module} import main; main()",
        str(os.getpid()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the node, which lets running jobs finish
        limit=2**26,
    )
