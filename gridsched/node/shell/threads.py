"""Threads that run jobs: a fixed number, and ends delivered to the event loop in batches.

Of `concurrent.futures` we would use the thread alone: a future and a wake-up of the loop for each run
cost more than the rest of a firing.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from gridsched.jobs.runnable import Runnable
from gridsched.node.run import Deliver, Run

Work = tuple[Run, Callable[..., Any], dict[str, Any]]


class ThreadExecutor:
    """`size` daemon threads, started as they are needed."""

    def __init__(self, size: int, deliver: Deliver) -> None:
        self._size = size
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._ended: deque[tuple[Run, Any, BaseException | None]] = deque()
        self._delivering = False
        self._threads = 0
        self._abandoned: set[Run] = set()
        self._lock = threading.Lock()
        self._busy = 0

    @property
    def free(self) -> int:
        """How many more runs may start now."""
        return self._size - self._busy

    def submit(self, run: Run, runnable: Runnable) -> None:
        """Run a function in a thread; its end is delivered on the event loop."""
        arguments = runnable.arguments(run.context)
        self._busy += 1
        self._work.put((run, runnable.function, arguments))
        if self._threads < min(self._size, self._busy):
            self._start_thread()

    def abandon(self, run: Run) -> None:
        """Stop waiting for a run: its thread cannot be ended, so another takes its place, and it
        ends itself when the run at last returns."""
        with self._lock:
            self._abandoned.add(run)
        self._busy -= 1
        self._threads -= 1

    async def close(self) -> None:
        """Let the threads end once they are idle."""
        for _ in range(self._threads):
            self._work.put(None)

    def _start_thread(self) -> None:
        self._threads += 1
        threading.Thread(target=self._serve, name="gridsched-job", daemon=True).start()

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            run, function, arguments = work
            value, error = None, None
            try:
                value = function(**arguments)
            except BaseException as raised:  # a job may raise anything, SystemExit too
                error = raised
            with self._lock:
                if run in self._abandoned:
                    self._abandoned.discard(run)
                    return
            self._ended.append((run, value, error))
            if not self._delivering:
                self._delivering = True
                try:
                    self._loop.call_soon_threadsafe(self._deliver_ended)
                except RuntimeError:  # the loop is closed: the node has stopped
                    return

    def _deliver_ended(self) -> None:
        self._delivering = False
        while self._ended:
            run, value, error = self._ended.popleft()
            if not run.over:
                self._busy -= 1
            elif run in self._abandoned:  # it ended just before it was abandoned: its thread lives
                self._abandoned.discard(run)
                self._threads += 1
            self._deliver(run, value, error)
