"""What a node has of the machine that it runs on: where its jobs run, and where conditions are judged.

Only the entry points build the system's (`system_machine`); the simulation gives one that lives on
virtual time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from gridsched.jobs.judge import Answer
from gridsched.jobs.runnable import Place, Runnable
from gridsched.model.events import Condition
from gridsched.node.run import Deliver, Run


class Executor(Protocol):
    """Makes runs, several at once."""

    @property
    def free(self) -> int:
        """How many more runs may start now."""

    def submit(self, run: Run, runnable: Runnable) -> None:
        """Start a run; its end is delivered on the event loop."""

    def abandon(self, run: Run) -> None:
        """Nobody waits for a run any more: end it, where that is possible."""

    async def close(self) -> None:
        """Start nothing more, and end what can be ended."""


class Judge(Protocol):
    """Judges conditions. `busy` while it does, elsewhere than on the event loop."""

    busy: bool

    async def judge(self, condition: Condition, value: Any) -> Answer:
        """Whether a condition holds on a value (JSON)."""

    async def close(self) -> None:
        """Nothing more is judged."""


class Machine(Protocol):
    """Gives a node its executors and its judge."""

    def executors(self, size: int, deliver: Deliver) -> Mapping[Place, Executor]:
        """An executor for each place, of up to `size` threads or processes, that hands the ends
        of runs to `deliver`."""

    def judge(self) -> Judge:
        """A judge of this node's own."""
