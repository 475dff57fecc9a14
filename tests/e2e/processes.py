"""Nodes as processes of their own, on a grid that is one too; and waiting for what they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import gridsched
from gridsched.model.caches import CacheNames, CacheSettings

PATIENCE: Final = 40.0
"""Seconds to wait for whatever must come."""

_LOOK_INTERVAL: Final = 0.02
_LIFETIME: Final = "900s"
"""A node ends after it even where the tests that started it were killed."""

_HERE: Final = Path(__file__).parent
_PACKAGE: Final = Path(gridsched.__file__).parents[1]


def wait_for(
    condition: Callable[[], object],
    otherwise: Callable[[], object] = lambda: "",
    within: float = PATIENCE,
) -> None:
    """Until a condition holds; AssertionError with what `otherwise` says where it never does."""
    until = time.perf_counter() + within
    while not condition():
        if time.perf_counter() > until:
            raise AssertionError(f"not within {within:g} s: {otherwise()}")
        time.sleep(_LOOK_INTERVAL)


class Output:
    """The lines of a process, read as they come."""

    def __init__(self, stream: Any) -> None:
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=[stream], daemon=True)
        self._thread.start()

    def __str__(self) -> str:
        with self._changed:
            return "\n".join(self._lines)

    def line(self, text: str, *, within: float = PATIENCE, after: int = 0) -> str:
        """The first line with `text` from line number `after` on, once there is one."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._with(text, after), within)
            found = self._with(text, after)
        if not found:
            raise AssertionError(f"no line with {text!r} in:\n{self}")
        return found[0]

    def __len__(self) -> int:
        with self._changed:
            return len(self._lines)

    def join(self, timeout: float) -> None:
        """Until all is read."""
        self._thread.join(timeout)

    def _with(self, text: str, after: int) -> list[str]:
        return [line for line in self._lines[after:] if text in line]

    def _read(self, stream: Any) -> None:
        for line in stream:
            with self._changed:
                self._lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class NodeProcess:
    """`gridsched start` with some arguments, in the folder where the jobs under test are."""

    def __init__(self, *arguments: str) -> None:
        paths = [str(_PACKAGE), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gridsched", "start", "--for", _LIFETIME, *arguments],
            cwd=_HERE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.pid = self._process.pid
        self.output = Output(self._process.stdout)

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self) -> None:
        self.output.line("READY ")

    def terminate(self) -> None:
        """SIGTERM: it stops in order."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as a power cut would. May be called when it has ended."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def end(self) -> tuple[int, str]:
        """Wait for its end; its exit code and all that it said."""
        code = self._process.wait(PATIENCE)
        self.output.join(PATIENCE)
        return code, str(self.output)

    def stop(self) -> None:
        """End it, in order if it does that in time."""
        if self.runs:
            self.terminate()
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
        self.output.join(PATIENCE)


class Line(NamedTuple):
    """What a job wrote: see `e2e_jobs`."""

    word: str
    trigger: str
    scheduled: int
    pid: int
    late: int

    @property
    def firing(self) -> str:
        return f"{self.trigger}@{self.scheduled}"


class Log:
    """The file, outside the grid, that every run of a job under test writes a line to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def lines(self, word: str = "ran") -> list[Line]:
        rows = [row.split("\t") for row in self.path.read_text().splitlines()]
        return [
            Line(row[0], row[1], int(row[2]), int(row[3]), int(row[4]))
            for row in rows
            if row[0] == word
        ]

    def count(self, word: str = "ran") -> int:
        return len(self.lines(word))

    def twice(self, word: str = "ran") -> list[str]:
        """The firings that ran more than once."""
        counted = Counter(line.firing for line in self.lines(word))
        return [firing for firing, count in counted.items() if count > 1]


def lateness(lines: list[Line]) -> str:
    """How late runs were, in words for a message."""
    late = sorted(line.late for line in lines) or [0]
    return f"lateness p50 {late[len(late) // 2]} ms, p99 {late[len(late) * 99 // 100]} ms, max {late[-1]} ms"


def caches(name: str) -> CacheSettings:
    """Caches under a name that no other test has, on the grid that they share."""
    names = {
        field: f"{name}-{getattr(CacheNames(), field)}" for field in CacheNames.__struct_fields__
    }
    return CacheSettings(names=CacheNames(**{**names, "execution_prefix": f"Execution-{name}-"}))


_CONFIG: Final = """<cache-config xmlns:scheduler="urn:gridsched:scheduler">
  <scheduler:service-config>
    <scheduler:schedulerservice>
      <scheduler:allowedjobs>e2e_jobs:*</scheduler:allowedjobs>
      {service}
    </scheduler:schedulerservice>
  </scheduler:service-config>
  <scheduler:jobs>{jobs}</scheduler:jobs>
  <caching-scheme-mapping>{mappings}</caching-scheme-mapping>
  <caching-schemes>
    <distributed-scheme><scheme-name>kept</scheme-name></distributed-scheme>
  </caching-schemes>
</cache-config>
"""
_MAPPING: Final = (
    '<cache-mapping scheduler:cache="{cache}"><cache-name>{name}</cache-name>'
    "<scheme-name>kept</scheme-name></cache-mapping>"
)


def config(names: CacheNames, jobs: str = "", **service: object) -> str:
    """A node's XML: caches of these names, elements of the scheduler service by keyword."""
    named = {f: getattr(names, f) for f in CacheNames.__struct_fields__ if f != "execution_prefix"}
    named["execution"] = names.execution_prefix + "*"
    return _CONFIG.format(
        service="".join(f"<scheduler:{k}>{v}</scheduler:{k}>" for k, v in service.items()),
        jobs=jobs,
        mappings="".join(_MAPPING.format(cache=c, name=n) for c, n in named.items()),
    )
