"""The schedulers that gridsched is compared with, each in an environment of its own.

Their releases cannot be installed side by side, and neither is a dependency of gridsched.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.cases import APSCHEDULER_3, APSCHEDULER_4

FOLDER = Path(__file__).parent.parent.parent / ".venv-bench"
REQUIREMENTS = {APSCHEDULER_3: "apscheduler==3.11.3", APSCHEDULER_4: "apscheduler==4.0.0a6"}
SCRIPTS = {APSCHEDULER_3: "apscheduler3.py", APSCHEDULER_4: "apscheduler4.py"}


class NotInstallable(Exception):
    """What keeps a peer from being installed."""


def command(subject: str) -> list[str]:
    """Python and the script of a peer; the peer is installed where it is not yet."""
    return [str(_python(subject)), str(Path(__file__).parent / SCRIPTS[subject])]


def _python(subject: str) -> Path:
    requirement = REQUIREMENTS[subject]
    home = FOLDER / requirement
    python = home / "bin" / "python"
    installed = home / "installed"
    if not installed.exists():
        _hide(FOLDER)
        _run([sys.executable, "-m", "venv", "--clear", str(home)])
        _run([str(python), "-m", "pip", "install", "--quiet", requirement, "uvloop"])
        installed.touch()
    return python


def _hide(folder: Path) -> None:
    """Keep the environments out of the repository they stand in."""
    folder.mkdir(exist_ok=True)
    (folder / ".gitignore").write_text("*\n")


def _run(order: list[str]) -> None:
    done = subprocess.run(order, check=False, capture_output=True, text=True, timeout=300)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()
        raise NotInstallable(reason[-1] if reason else f"{order[0]} ended with {done.returncode}")
