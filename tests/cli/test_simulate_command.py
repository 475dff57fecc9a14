"""`gridsched simulate`: what it refuses, and how it is interrupted."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner
from running import PATIENCE

from gridsched.cli import main
from gridsched.cli.simulate import _duration
from gridsched.simulation.summary import _uninterrupted


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--seeds 5..3", "'5..3' is 0 seeds: write 1..100"),
        ("--seeds 1..99999999999", "is 99999999999 seeds"),
        ("--seeds 1..", "is no range of seeds"),
        ("--seed 1 --seeds 1..2", "--seed and --seeds exclude each other"),
        ("--seeds 1..2 --picture late.svg", "--picture is of one seed"),
        ("--picture late.png", "name it FILE.svg"),
        ("--picture nowhere/late.svg", "there is no folder 'nowhere'"),
        ("--days nan", "no number of days"),
        ("--days 0", "no number of days"),
        ("--for 0s", "above 0"),
        ("--for 20S --cut 10M", "--cut is after the end, which comes after 20 s"),
        ("--only crash-0.99999", "the plan of seed 1 has no 'crash-0.99999'; it has "),
        ("--faults fire", "no such kind of fault: 'fire'"),
        ("--from 9999-12-31T00:00Z", "not in the years 1970 to 2299"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_simulated(options, said):
    wrong = CliRunner().invoke(main, ["simulate", *shlex.split(options)])
    assert wrong.exit_code == 2
    assert said in wrong.output


def test_a_replay_is_of_the_very_same_span():
    assert [_duration(s) for s in (600.0, 86.4, 0.001)] == ["600S", "86400MS", "1MS"]


def test_ctrl_c_ends_many_seeds_at_once_and_all_their_processes() -> None:
    command = "simulate --seeds 1..9999 --for 20S --triggers 5"
    with subprocess.Popen(
        [sys.executable, "-m", "gridsched", *shlex.split(command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("seed 1: ")
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        rest, _ = process.communicate(timeout=PATIENCE)  # until the last has closed its output
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert "rule broken" not in rest


def test_ctrl_c_while_a_process_is_started_is_not_lost():
    child = [sys.executable, "-c", "import signal; print(signal.pthread_sigmask(0, []))"]
    with pytest.raises(KeyboardInterrupt), _uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
    with _uninterrupted():
        blocked = subprocess.run(child, capture_output=True, text=True, check=True).stdout
    assert "SIGINT" in blocked
