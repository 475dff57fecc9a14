"""`start --live`: a line for each run, with how late it was, how long it took, what it returned."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from gridsched.cli import words
from gridsched.cli.tally import lateness
from gridsched.config.settings import StartupJob
from gridsched.model.firing import Firing
from gridsched.model.keys import parse_key
from gridsched.node.hooks import Hook

_LATE: Final = 100
_VERY_LATE: Final = 1000
_OUTCOMES: Final = {
    "COMPLETE": ("done", "green"),
    "ACQUIRED": ("retry", "yellow"),
    "SKIPPED": ("skipped", "yellow"),
    "CANCELLED": ("cancelled", "yellow"),
    "FAILED": ("failed", "red"),
}


class Screen(Console):
    """Where the lines go. A node goes on when nobody reads them any more."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Live(Hook):
    """Prints runs as they end, in columns as wide as the startup jobs need."""

    def __init__(self, console: Console, jobs: Sequence[StartupJob]) -> None:
        self._console = console
        self._running: dict[str, Firing] = {}
        self._headed = False
        labels = [("JOB", "TRIGGER"), *((s.job.key, t.name) for s in jobs for t in s.triggers)]
        self._widths = [max(map(len, column)) for column in zip(*labels, strict=True)]

    def on_claimed(self, firing: Firing) -> None:
        if firing.state == "SKIPPED":
            self._print(firing, firing.scheduled, None, "", f"{firing.count} missed")

    def on_started(self, firing: Firing) -> None:
        self._running[firing.key] = firing

    def on_finished(self, firing: Firing, value: Any) -> None:
        """A firing that is tried again has lost the times of the run that just ended."""
        started = self._running.pop(firing.key, firing)
        took = "" if firing.finished_at is None else _ms(firing.finished_at - _at(started))
        said = words.written(value) if firing.returned else firing.error
        due = started.fire_at or started.scheduled
        self._print(firing, due, lateness(started), took, said)

    def _print(self, firing: Firing, due: int, late: int | None, took: str, said: str) -> None:
        outcome, style = _OUTCOMES.get(firing.state, (firing.state, ""))
        if firing.suspended:
            outcome = "yielded"
        trigger = parse_key(firing.trigger).trigger_name or ""
        job_width, trigger_width = self._widths
        self._head()
        self._line(
            Text.assemble(
                f"{_time(due)}  ",
                (f"{'' if late is None else _ms(late):>8}", _style(late)),
                f"  {took:>8}  ",
                (f"{outcome:<9}", style),
                f"  {firing.job:<{job_width}}  ",
                (f"{trigger:<{trigger_width}}", "dim"),
                f"  {words.printable(said)}",
            )
        )

    def _head(self) -> None:
        if self._headed:
            return
        self._headed = True
        job, trigger = self._widths
        heading = f"{'DUE':<13}  {'LATE':>8}  {'TOOK':>8}  {'':<9}  {'JOB':<{job}}  "
        self._line(Text(f"{heading}{'TRIGGER':<{trigger}}  RESULT", style="bold"))

    def _line(self, text: Text) -> None:
        """Cut at the terminal's edge; whole in a pipe."""
        text.rstrip()
        if self._console.is_terminal:
            self._console.print(text, no_wrap=True, overflow="ellipsis")
        else:
            self._console.print(text, soft_wrap=True)


def _at(started: Firing) -> int:
    return started.started_at or started.scheduled


def _time(instant: int) -> str:
    at = datetime.fromtimestamp(instant / 1000, UTC)
    return f"{at:%H:%M:%S}.{instant % 1000:03d}Z"


def _style(late: int | None) -> str:
    if late is None or late < _LATE:
        return ""
    return "yellow" if late < _VERY_LATE else "red"


def _ms(ms: int) -> str:
    return f"{ms} ms" if ms < 10_000 else f"{ms / 1000:.1f} s"
