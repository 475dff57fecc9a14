"""The machine of a node under chaos: the system's, which writes down what a run cannot say of itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from benchmarks.chaos.jobs import host, record, tell
from gridsched.jobs.runnable import Place, Runnable
from gridsched.node.machine import Executor
from gridsched.node.run import Deliver, Run
from gridsched.node.shell.processes import ProcessExecutor
from gridsched.node.shell.threads import ThreadExecutor
from gridsched.node.system_machine import SystemMachine


class Machine(SystemMachine):
    """Gives a node the executors of the system."""

    def executors(self, size: int, deliver: Deliver) -> Mapping[Place, Executor]:
        return {
            **super().executors(size, deliver),
            "process": _Processes(size, deliver),
            "delivery": _Deliveries(size, deliver),
        }


class _Processes(ProcessExecutor):
    """What runs in a process that is killed does not see its end."""

    def abandon(self, run: Run) -> None:
        super().abandon(run)
        record().killed(run.firing.key, run.firing.value.attempt, host())


class _Deliveries(ThreadExecutor):
    """Deliveries by the node's own code, each with the name of its run."""

    def submit(self, run: Run, runnable: Runnable) -> None:
        super().submit(run, runnable._replace(function=partial(tell, runnable.function)))
