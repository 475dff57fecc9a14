"""One run of one firing on this node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import msgspec

from gridsched.jobs.context import Checkpoint, JobContext, Progress, Word
from gridsched.jobs.runnable import Runnable
from gridsched.model.firing import Firing, Leaves
from gridsched.model.job import Job, check_data
from gridsched.policy import transitions
from gridsched.policy.job_data import leaves
from gridsched.policy.transitions import NOT_JUDGED, Judged
from gridsched.stores.record import Record


class Held(NamedTuple):
    """A payload that this node has in hand: the firing as it was sent, and what its run needs.

    They start in the order of their instants (`due`, epoch ms), of one instant by priority. `deadline`
    is when it may start, in seconds on the monotonic clock: of one instant it differs by parts of a
    millisecond, for the wall clock is read at different times, and so it does not make the order.
    """

    due: int
    rank: int
    serial: int
    deadline: float
    firing: Record[Firing]
    job: Job
    data: dict[str, Any]


class Said(NamedTuple):
    """The latest that a job has said of its run."""

    progress: Progress | None = None
    checkpoint: Checkpoint | None = None


_NOTHING: Final = Said()


class Run:
    """A firing that this node runs: from EXECUTING until its outcome is handed to the finisher.

    `tell`, called from any thread, hears that the job has said something: once, until `unheard` is
    taken back.
    """

    __slots__ = (
        "_tell",
        "context",
        "firing",
        "given",
        "job",
        "over",
        "runnable",
        "said",
        "timer",
        "unheard",
    )

    def __init__(
        self, firing: Record[Firing], job: Job, data: dict[str, Any], tell: Callable[[Run], None]
    ) -> None:
        self.firing = firing
        self.job = job
        self._tell = tell
        self.given = msgspec.json.encode(data) if job.persist_data else b""
        self.context = JobContext(firing.value, data, self.report)
        self.said = _NOTHING
        self.unheard = False
        self.timer: asyncio.TimerHandle | None = None
        self.runnable: Runnable | None = None
        self.over = False

    def leaves(self) -> Leaves | None:
        """What it leaves in its job's data; InvalidJob where that is not JSON."""
        if not self.job.persist_data:
            return None
        check_data(self.context.data, "what it left")
        return leaves(msgspec.json.decode(self.given), self.context.data)

    def report(self, word: Word) -> None:
        """Take what the job says of its run; called from any thread."""
        if isinstance(word, Checkpoint):
            self.said = self.said._replace(checkpoint=word)
        else:
            self.said = self.said._replace(progress=word)
        if not self.unheard and not self.over:
            self.unheard = True
            self._tell(self)

    def noted(self, firing: Firing) -> Firing:
        """The run's record with what the job has said of it."""
        progress, checkpoint = self.said
        if progress is not None:
            firing = transitions.progressed(firing, progress.fraction, progress.message)
        if checkpoint is not None:
            firing = transitions.checkpointed(firing, checkpoint.value)
        return firing


class Runs:
    """What runs now on this node, in the order in which it started."""

    def __init__(self) -> None:
        self.some = asyncio.Event()
        self.none = asyncio.Event()
        self.none.set()
        self._runs: dict[Run, None] = {}

    def add(self, run: Run) -> None:
        self._runs[run] = None
        self.some.set()
        self.none.clear()

    def discard(self, run: Run) -> None:
        self._runs.pop(run, None)
        if not self._runs:
            self.some.clear()
            self.none.set()

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[Run]:
        """Of those that run at the call: what starts or ends meanwhile changes nothing."""
        return iter(tuple(self._runs))


class Ended(NamedTuple):
    """How a run ended: with a value and what it leaves in its job's data, with the text of an error,
    or it yielded for so many seconds. `judged` is what its value made of its job's event triggers."""

    run: Run
    value: Any
    error: str
    yielded: float | None = None
    leaves: Leaves | None = None
    judged: Judged = NOT_JUDGED

    @property
    def well(self) -> bool:
        """Is it done, and did not fail?"""
        return not self.error and self.yielded is None


Deliver = Callable[[Run, Any, BaseException | None], None]
"""Takes a run's end on the event loop: its value, or what it raised."""
