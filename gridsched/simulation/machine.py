"""The machine that a simulated node runs on: threads, processes, a judge and a network, on virtual time.

What a real one does outside the event loop is here a coroutine on it, which takes virtual seconds, and
freezes and dies with its host. A function for threads gives the coroutine that its thread carries out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from gridsched.jobs.judge import Answer, Question, answer
from gridsched.jobs.runnable import Place, Runnable
from gridsched.model.events import Condition
from gridsched.node.machine import Executor, Judge
from gridsched.node.run import Deliver, Run
from gridsched.node.shell.coroutines import LoopExecutor
from gridsched.simulation.jobs import tell

_JUDGING: Final = 0.1
"""Seconds that judging a condition takes."""


class SimulatedMachine:
    """Gives a node its executors and its judge."""

    def executors(self, size: int, deliver: Deliver) -> Mapping[Place, Executor]:
        return {
            "loop": LoopExecutor(deliver),
            "thread": Threads(size, deliver),
            "process": Processes(size, deliver),
            "delivery": Network(size, deliver),
        }

    def judge(self) -> Judge:
        return SimulatedJudge()


class Processes(LoopExecutor):
    """Up to `size` at once, each of which can be ended."""

    def __init__(self, size: int, deliver: Deliver) -> None:
        super().__init__(deliver)
        self._size = size

    @property
    def free(self) -> int:
        return self._size - sum(not run.over for run in self._tasks)


class Threads(Processes):
    """None of them can be ended: what nobody waits for goes on, and another takes its place."""

    def abandon(self, run: Run) -> None:
        pass

    async def close(self) -> None:
        pass


class Network(Threads):
    """Threads that tell subscribers, who are simulated as well."""

    def submit(self, run: Run, runnable: Runnable) -> None:
        super().submit(run, runnable._replace(function=tell))


class SimulatedJudge:
    """Judges in the task that asks."""

    busy = False

    async def judge(self, condition: Condition, value: Any) -> Answer:
        await asyncio.sleep(_JUDGING)
        return answer(Question(condition, value))

    async def close(self) -> None:
        pass
