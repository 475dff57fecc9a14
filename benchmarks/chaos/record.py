"""The runs, written by the nodes' processes to a file outside the grid.

Each line is appended by one write, so that lines of several processes never mix, and what a killed
process has written stays: it is the system's by then. Only a power cut would lose it.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from gridsched.clock import SystemClock
from gridsched.simulation.history import Outcome, Record, Run


class Line(msgspec.Struct, frozen=True, array_like=True):
    """A run `id` has started, or ended with `outcome` and `value`; or the process was killed in which a
    firing ran."""

    word: Literal["start", "end", "killed"]
    id: str
    at: int
    outcome: Outcome | None = None
    firing: str = ""
    job: str = ""
    attempt: int = 0
    value: Any = None


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Line)


@dataclass(slots=True)
class WrittenRun(Run):
    """A run with its `id`: its host's, its process's and its number there."""

    id: str = ""


class WrittenRecord(Record):
    """The record of one process, whose threads write it down as it comes."""

    def __init__(self, path: Path) -> None:
        super().__init__(SystemClock().now)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._numbers = itertools.count(1)

    def begin(self, firing: str, job: str, attempt: int, host: str) -> WrittenRun:
        id = f"{host}/{os.getpid()}.{next(self._numbers)}"
        run = WrittenRun(firing, job, attempt, host, self.now(), id=id)
        self._write(Line("start", run.id, run.started, None, firing, job, attempt))
        return run

    def end(self, run: Run, outcome: Outcome, value: Any = None) -> None:
        assert isinstance(run, WrittenRun)
        self.ended(run.id, outcome, value)

    def ended(self, id: str, outcome: Outcome, value: Any = None) -> None:
        """A run that another process may have begun has come to this end."""
        self._write(Line("end", id, self.now(), outcome, value=value))

    def killed(self, firing: str, attempt: int, host: str) -> None:
        """The process in which a firing ran on this host was killed."""
        self._write(Line("killed", f"{host}/", self.now(), "cancelled", firing, attempt=attempt))

    def _write(self, line: Line) -> None:
        os.write(self._file, _ENCODER.encode(line) + b"\n")


class ReadRecord(Record):
    """The record of a whole trial: what all processes have written so far, and what users did."""

    def __init__(self, path: Path) -> None:
        super().__init__(SystemClock().now)
        path.touch()
        self._path = path
        self._read = 0
        self._by_id: dict[str, Run] = {}

    def read(self) -> None:
        """Take over what has been written since. Runs stand in the order in which they started."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            written = file.read()
        whole = written[: written.rfind(b"\n") + 1]
        self._read += len(whole)
        for text in whole.splitlines():
            self._take(_DECODER.decode(text))
        self.runs.sort(key=lambda run: run.started)

    def _take(self, line: Line) -> None:
        host = line.id.partition("/")[0]
        match line.word:
            case "start":
                run = Run(line.firing, line.job, line.attempt, host, line.at)
                self._by_id[line.id] = run
                self.runs.append(run)
            case "end":
                _end(self._by_id[line.id], line)
            case "killed":
                which = (line.firing, line.attempt, host)
                for run in reversed(self.runs):
                    if run.ended is None and (run.firing, run.attempt, run.host) == which:
                        _end(run, line)


def _end(run: Run, line: Line) -> None:
    run.ended, run.outcome, run.value = line.at, line.outcome, line.value
