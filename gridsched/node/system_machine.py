"""The machine of a node outside the simulation."""

from __future__ import annotations

from collections.abc import Mapping

from gridsched.jobs.runnable import Place
from gridsched.node.machine import Executor, Judge
from gridsched.node.run import Deliver
from gridsched.node.shell.coroutines import LoopExecutor
from gridsched.node.shell.judge import ProcessJudge
from gridsched.node.shell.processes import ProcessExecutor
from gridsched.node.shell.threads import ThreadExecutor


class SystemMachine:
    """Threads and processes of the system."""

    def executors(self, size: int, deliver: Deliver) -> Mapping[Place, Executor]:
        return {
            "loop": LoopExecutor(deliver),
            "thread": ThreadExecutor(size, deliver),
            "process": ProcessExecutor(size, deliver),
            "delivery": ThreadExecutor(size, deliver),
        }

    def judge(self) -> Judge:
        return ProcessJudge()
