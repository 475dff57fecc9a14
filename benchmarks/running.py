"""Runs each case in a fresh child process, and makes a result of what it hands over."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import peers
from benchmarks.cases import HAZELCAST, Case
from benchmarks.figures import figures
from benchmarks.member import why_no_member

TIMEOUT = 300.0
"""Seconds that a case may take, with the start of a member and its warm-up."""


class Failed(Exception):
    """Why a case has no figures."""


class Result(msgspec.Struct):
    """The figures of a case: medians of those runs that did not fail.

    `errors` says why the others did: a median of fewer runs than were asked for is shown as such.
    `load` is the machine's load average before each run: on a busy machine only figures of one run
    may be compared.
    """

    case: Case
    figures: dict[str, float] = {}
    runs: list[dict[str, float]] = []
    load: list[float] = []
    errors: list[str] = []


def measure(case: Case) -> dict[str, float]:
    """The figures of one run. Failed says why there are none."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        answer = Path(folder) / "raw.json"
        _run([*_command(case), msgspec.json.encode(case).decode(), str(answer)])
        raw: dict[str, Any] = json.loads(answer.read_text())
    return figures(case, raw)


def _command(case: Case) -> list[str]:
    if case.subject in peers.SCRIPTS:
        try:
            return peers.command(case.subject)
        except peers.NotInstallable as reason:
            raise Failed(f"not installable: {reason}") from reason
    if case.subject in HAZELCAST and (reason := why_no_member()):
        raise Failed(reason)
    return [sys.executable, "-m", "benchmarks.child"]


def _run(order: list[str]) -> None:
    # A session of its own, so that a child that hangs goes with all that it has started.
    child = subprocess.Popen(order, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        _, errors = child.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise Failed(f"not finished after {TIMEOUT:.0f} s") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    if child.returncode:
        lines = errors.strip().splitlines()
        raise Failed(lines[-1] if lines else f"ended with {child.returncode}")
    sys.stderr.write(errors)


def add_run(result: Result) -> None:
    """Run the case once more."""
    result.load.append(os.getloadavg()[0])
    try:
        result.runs.append(measure(result.case))
    except Failed as reason:
        result.errors.append(str(reason))
        return
    names = dict.fromkeys(name for run in result.runs for name in run)
    result.figures = {
        name: statistics.median(run[name] for run in result.runs if name in run) for name in names
    }
