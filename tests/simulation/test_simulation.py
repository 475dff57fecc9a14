"""Whole simulations: no rule is broken, and the same seed is the same history."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from shutil import copytree

import pytest
from msgspec.structs import replace

import gridsched
from gridsched import event, expression
from gridsched.config.settings import Settings, StartupJob
from gridsched.errors import ConfigurationError
from gridsched.model.job import Job
from gridsched.model.trigger import Cron, Trigger
from gridsched.policy.fire_times import fire_after
from gridsched.simulation.drawing import draw_job
from gridsched.simulation.facts import is_delivery
from gridsched.simulation.fault_rates import ALL_FAULTS, KINDS, NO_FAULTS, faults_of
from gridsched.simulation.history import History
from gridsched.simulation.jobs import TARGET, THREAD_TARGET
from gridsched.simulation.own import simulated, stretched
from gridsched.simulation.picture import lateness_picture
from gridsched.simulation.run import simulate
from gridsched.simulation.scenario import Scenario
from gridsched.simulation.summary import simulate_all, summarise

PACKAGE = Path(gridsched.__file__).parents[1]
SHORT = Scenario(seconds=240.0, calm=90.0, triggers=60)
SEEDS = 6
"""Of ten simulated minutes each; `.ci/run` takes a hundred."""


def test_no_rule_is_broken_whatever_goes_wrong() -> None:
    scenarios = [Scenario(seed=seed) for seed in range(1, SEEDS + 1)]
    found = {s.scenario.seed: s.violations for s in simulate_all(scenarios) if s.violations}
    assert found == {}


def test_without_faults_nothing_is_late() -> None:
    summary = summarise(simulate(replace(SHORT, faults=NO_FAULTS, commands=0)))
    assert summary.violations == ()
    assert summary.troubles == 0
    assert summary.runs > 100
    assert sorted(each.late for each in summary.lateness)[len(summary.lateness) // 2] <= 5


def test_the_same_seed_is_the_same_history_in_every_process_and_folder(tmp_path: Path) -> None:
    copytree(PACKAGE / "gridsched", tmp_path / "gridsched")
    here = simulate(SHORT).trace
    script = (
        "from gridsched.simulation.run import simulate\n"
        "from gridsched.simulation.scenario import Scenario\n"
        "print(simulate(Scenario(seconds=240.0, calm=90.0, triggers=60)).trace)"
    )
    for hash_seed, folder in (("1", PACKAGE), ("2", tmp_path)):
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(folder)},
            cwd=folder,
        )
        assert done.stdout.strip() == here
    assert simulate(replace(SHORT, seed=2)).trace != here


def test_every_kind_of_fault_happens() -> None:
    wanted = {"crash", "stall", "restart", "cut", "member"}
    for seed in range(1, 6):
        report = simulate(replace(SHORT, seed=seed, seconds=400.0))
        wanted -= {trouble.kind for trouble in report.history.record.troubles}
        if not wanted:
            break
    assert wanted == set()


def test_jobs_run_in_every_place_and_events_are_told_in_every_way() -> None:
    """Told at once, after refusals and after an answer that never came; given up; not judged."""
    history = simulate(replace(SHORT, seconds=400.0, triggers=150)).history
    targets = {(job.target, job.executor) for job in history.jobs.values() if not job.task}
    assert targets == {(TARGET, "thread"), (TARGET, "process"), (THREAD_TARGET, "thread")}
    deliveries = [firing for firing in history.firings if is_delivery(firing.job)]
    ended = {(firing.state, firing.attempt > 1) for firing in deliveries}
    assert {("COMPLETE", False), ("COMPLETE", True), ("FAILED", True)} <= ended
    outcomes = {run.outcome for run in history.record.runs if is_delivery(run.job)}
    assert {"ok", "failed", "cancelled"} <= outcomes
    judged = [firing for firing in history.firings if firing.job in _with_events(history)]
    assert any(firing.event_error for firing in judged)
    assert any(
        not firing.events and not firing.event_error
        for firing in judged
        if firing.state == "COMPLETE"
    )


def test_subscribers_that_never_answer_hold_up_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there are, every thread that tells them hangs for its whole minute."""
    never = event("each", expression("result['level'] >= 0"), "mailto:hung@simulated.example")

    def draw(random: Random, number: int) -> Job:
        return replace(draw_job(random, number), events=(never,))

    monkeypatch.setattr("gridsched.simulation.plan.draw_job", draw)
    report = simulate(Scenario(seconds=110.0, calm=60.0, triggers=60, commands=0, faults=NO_FAULTS))
    assert report.violations == ()
    deliveries = [firing for firing in report.history.firings if is_delivery(firing.job)]
    assert sum(firing.state == "EXECUTING" for firing in deliveries) >= 40
    assert sum(firing.round > 0 for firing in deliveries) > 100, "they are put off"


def _with_events(history: History) -> set[str]:
    return {key for key, job in history.jobs.items() if job.events}


def test_faults_are_chosen_by_kind() -> None:
    assert faults_of("all") == ALL_FAULTS
    assert faults_of("none") == NO_FAULTS
    chosen = faults_of("crash, unknown")
    assert (chosen.crashes, chosen.grid.unknown) == (ALL_FAULTS.crashes, ALL_FAULTS.grid.unknown)
    assert (chosen.stalls, chosen.grid.delayed) == (0, 0)
    with pytest.raises(ConfigurationError, match=r"no such kind of fault: 'fire'; .*crash"):
        faults_of("fire")
    assert faults_of(",".join(KINDS)) == ALL_FAULTS


def test_a_config_of_the_users_is_simulated_over_a_change_of_the_clocks() -> None:
    """Nothing of the user's own is run; every instant of the schedule has its run."""
    london = Cron("0 30 1 * * ?", "Europe/London")
    job = Job("no.such.module:function", name="nightly", group="shop")
    settings = Settings(jobs=(StartupJob(job, (Trigger(london, name="at-half-past-one"),)),))
    seconds = 14 * 86_400.0
    start = 1_792_281_600_000  # 18 October 2026: clocks go back a week later
    report = simulate(
        Scenario(
            nodes=2,
            seconds=seconds,
            start=start,
            triggers=0,
            faults=NO_FAULTS,
            settings=stretched(simulated(settings, 1.0), seconds),
        )
    )
    assert report.violations == ()
    ran = sorted(f.scheduled for f in report.history.firings if f.state == "COMPLETE")
    named, instant = [], fire_after(london, start)
    while instant is not None and instant < start + seconds * 1000:
        named.append(instant)
        instant = fire_after(london, instant)
    assert len(named) >= 14
    assert ran == named


def test_the_picture_is_an_svg_of_what_was_late() -> None:
    summary = summarise(simulate(SHORT))
    picture = lateness_picture("a & b", summary.lateness)
    assert picture.startswith("<svg")
    assert "a &amp; b" in picture
    assert picture.count("<rect") > 10
    assert "<rect" in lateness_picture("nothing ran", [])


def test_processes_that_simulate_end_with_the_one_that_started_them() -> None:
    command = [sys.executable, "-m", "gridsched", "simulate", "--seeds", "1..500"]
    command += ["--for", "10S", "--triggers", "3"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout
    assert process.stdout.readline().startswith(b"seed 1: ")
    process.kill()
    process.communicate(timeout=30)  # returns when the last of them has closed its output
