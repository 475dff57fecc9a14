"""The package's own names: each is loaded when it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import gridsched


@pytest.mark.parametrize("name", [*gridsched.__all__, "aio", "calendars", "testing"])
def test_every_name_is_there(name: str) -> None:
    assert getattr(gridsched, name) is not None


def test_what_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'schedul'"):
        _ = gridsched.schedul


def test_a_grid_alone_loads_no_scheduler() -> None:
    asked = "import gridsched.cli.grid, sys; print('gridsched.node' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"
