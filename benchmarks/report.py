"""The table, and the JSON."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks import member, peers
from benchmarks.cases import SUBJECTS
from benchmarks.figures import AT_LEAST, UNITS, reached, target
from benchmarks.running import Result

WIDTH = 150


def commit() -> str:
    """The code that was measured, with "+" where it is not as it was committed; "" unknown."""
    order = ["git", "describe", "--always", "--dirty=+", "--abbrev=12"]
    done = subprocess.run(
        order, check=False, capture_output=True, text=True, cwd=Path(__file__).parent
    )
    return done.stdout.strip()


def environment() -> dict[str, Any]:
    """What the figures were measured on."""
    packages = ("gridsched", "hazelcast-python-client", "uvloop", "msgspec")
    return {
        "commit": commit(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "hazelcast": member.version(),
        "packages": {name: importlib.metadata.version(name) for name in packages},
        "peers": peers.REQUIREMENTS,
    }


def table(results: list[Result]) -> Table:
    """A row for each figure, a column for each subject; targets and whether they are reached."""
    subjects = [name for name in SUBJECTS if any(r.case.subject == name for r in results)]
    made = Table(title="gridsched benchmarks")
    made.add_column("")
    for subject in subjects:
        made.add_column(subject, justify="right")
    for name in dict.fromkeys(result.case.name for result in results):
        _add_case(made, name, {r.case.subject: r for r in results if r.case.name == name}, subjects)
    return made


def _add_case(made: Table, name: str, of: dict[str, Result], subjects: list[str]) -> None:
    made.add_row(f"[bold]{name}", *(_failures(of.get(subject)) for subject in subjects))
    for figure in dict.fromkeys(figure for result in of.values() for figure in result.figures):
        cells = [_cell(of.get(subject), figure) for subject in subjects]
        made.add_row(f"  {UNITS[figure]}", *cells)
    made.add_section()


def _failures(result: Result | None) -> str:
    """What must be known of the figures below: that they are of fewer runs, or why there are none."""
    if result is None or not result.errors:
        return ""
    if not result.runs:
        return f"[red]{escape(result.errors[-1])}"
    total = len(result.runs) + len(result.errors)
    return f"[red]{len(result.errors)} of {total} runs failed: {escape(result.errors[-1])}"


def _cell(result: Result | None, figure: str) -> str:
    if result is None or figure not in result.figures:
        return ""
    value = result.figures[figure]
    wanted = target(result.case, figure)
    if wanted is None:
        return _number(value)
    sign = "≥" if figure in AT_LEAST else "≤"
    mark = "[green]✓" if reached(figure, value, wanted) else "[red]✗"
    return f"{_number(value)}  {sign} {_number(wanted)} {mark}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def show(results: list[Result]) -> None:
    console = Console(width=None if Console().is_terminal else WIDTH)
    console.print(table(results))
    loads = [load for result in results for load in result.load]
    if loads:
        console.print(
            f"{os.cpu_count()} cores; load average before the cases: "
            f"{min(loads):.1f} to {max(loads):.1f}. Node settings: the defaults. "
            "✓ ✗: the target is reached, or not."
        )


def as_json(results: list[Result]) -> bytes:
    """All of it, with the figures of every single run."""
    rows = [
        {
            "name": result.case.name,
            **msgspec.to_builtins(result),
            "targets": {
                figure: {"target": wanted, "reached": reached(figure, value, wanted)}
                for figure, value in result.figures.items()
                if (wanted := target(result.case, figure)) is not None
            },
        }
        for result in results
    ]
    made = {"environment": environment(), "results": rows}
    return msgspec.json.format(msgspec.json.encode(made), indent=2)
