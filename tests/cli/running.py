"""Running `gridsched`: a command in this process, a node in its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Queue

from click.testing import Result

Run = Callable[..., Result]
"""Runs `gridsched` with these arguments."""

PATIENCE = 30.0
"""Seconds to wait for a line, for the end, or for whatever else must come."""


def until(condition: Callable[[], bool]) -> None:
    """Until a condition holds; AssertionError where it never does."""
    give_up_at = time.perf_counter() + PATIENCE
    while not condition():
        assert time.perf_counter() < give_up_at, f"not within {PATIENCE:g} s"
        time.sleep(0.02)


class NodeProcess:
    """A node, waited for line by line. What it prints and logs comes together, in order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: Queue[str | None] = Queue()
        self._read: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    def start(self, *arguments: str) -> None:
        """Start it; its grid listens only where the arguments say so."""
        if "--listen" not in arguments:
            arguments = (*arguments, "--listen", "none")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gridsched", "start", *arguments],
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._pump, args=[self.process], daemon=True).start()

    def line_with(self, text: str) -> str:
        """The next line that holds `text`, once there is one."""
        while (line := self._next()) is not None:
            if text in line:
                return line
        raise AssertionError(f"it ended without {text!r}:\n" + "\n".join(self._read))

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def end(self, *, expected_code: int) -> str:
        """Wait for its end; all that it printed."""
        assert self.process is not None
        while self._next() is not None:
            pass
        output = "\n".join(self._read)
        assert self.process.wait(PATIENCE) == expected_code, output
        return output

    def stop(self) -> None:
        """End it in order where it still runs, or at once where it does not end so."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _next(self) -> str | None:
        try:
            line = self._lines.get(timeout=PATIENCE)
        except Empty:
            raise AssertionError("it is silent:\n" + "\n".join(self._read)) from None
        if line is not None:
            self._read.append(line)
        return line

    def _pump(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)
