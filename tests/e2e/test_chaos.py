"""`benchmarks.chaos`: its parts; `.ci/run` runs all of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from processes import wait_for

import gridsched
from benchmarks.chaos.__main__ import main
from benchmarks.chaos.jobs import WORK, WORK_IN_THREAD, draw
from benchmarks.chaos.measures import death
from benchmarks.chaos.node import Order
from benchmarks.chaos.plan import LONGEST_FREEZE, plan
from benchmarks.chaos.record import ReadRecord, WrittenRecord
from benchmarks.chaos.stage import NodeProcess
from benchmarks.chaos.subscribers import Subscribers
from benchmarks.member import GRID_XML
from gridsched import Job, Retry, event, expression
from gridsched.model.events import EVENTS_GROUP
from gridsched.simulation.drawing import draw_job
from gridsched.simulation.history import Outcome, Run
from gridsched.simulation.jobs import THREAD_TARGET, name_of
from gridsched.testing import GridServer


def test_a_seed_settles_its_plan() -> None:
    def strokes(seed: int) -> list[object]:
        drawn = plan(seed, 3, 3, 60.0, 3.0)
        return [list(islice(track, 50)) for track in (*drawn.nodes, drawn.members)]

    assert strokes(7) == strokes(7) != strokes(8)


def test_a_node_stands_still_for_longer_than_its_session() -> None:
    for seconds in (10.0, 60.0, 3600.0):
        for track in plan(1, 3, 3, seconds, 3.0).nodes:
            frozen = [s.lasting for s in islice(track, 100) if s.kind == "freeze"]
            assert 3.0 < min(frozen) <= max(frozen) <= 3.0 * LONGEST_FREEZE


def test_what_one_process_writes_another_reads(tmp_path: Path) -> None:
    written = WrittenRecord(tmp_path / "runs")
    read = ReadRecord(tmp_path / "runs")
    first = written.begin("a/b:c/d@5", "a/b", 1, "n1#10")
    second = written.begin("a/b:c/d@6", "a/b", 2, "n1#10")
    written.end(first, "failed")
    read.read()
    assert [(r.firing, r.job, r.attempt, r.host, r.outcome) for r in read.runs] == [
        ("a/b:c/d@5", "a/b", 1, "n1#10", "failed"),
        ("a/b:c/d@6", "a/b", 2, "n1#10", None),
    ]
    written.end(second, "ok")
    with (tmp_path / "runs").open("a") as file:
        file.write('["start","n2#11/1"')  # a line that is still being written
    read.read()
    assert [run.outcome for run in read.runs] == ["failed", "ok"]
    assert [run.ended is not None for run in read.runs] == [True, True]


def test_a_killed_process_ends_the_run_that_went_on_in_it(tmp_path: Path) -> None:
    written = WrittenRecord(tmp_path / "runs")
    read = ReadRecord(tmp_path / "runs")
    over, going, elsewhere = (
        written.begin("a/b:c/d@5", "a/b", 1, host) for host in ("n1#10", "n1#10", "n2#11")
    )
    written.end(over, "yielded")
    read.read()
    written.killed("a/b:c/d@5", 1, "n1#10")
    read.read()
    assert [run.outcome for run in read.runs] == ["yielded", "cancelled", None]
    written.end(going, "ok")
    written.end(elsewhere, "ok")
    read.read()
    assert [run.outcome for run in read.runs] == ["yielded", "ok", "ok"], "it lived all the same"


def test_jobs_are_those_of_a_simulation() -> None:
    for seed in range(50):
        ours, simulated = draw("http://h", Random(seed), 1), draw_job(Random(seed), 1)
        assert (ours.target == WORK_IN_THREAD) == (simulated.target == THREAD_TARGET)
        told = [
            tuple(f"http://h/{name_of(each)}" for each in event.subscribers)
            for event in simulated.events
        ]
        assert [event.subscribers for event in ours.events] == told
        same = replace(ours, target=simulated.target, events=simulated.events)
        assert same == simulated


class SmallTrial:
    """A node of a trial on a grid of our own, without chaos."""

    def __init__(self, folder: Path, server: GridServer) -> None:
        self.runs = folder / "runs"
        self.record = ReadRecord(self.runs)
        self.subscribers = Subscribers(self.runs)
        order = Order("n", server.addresses[0], server.cluster_name, str(self.runs), 3000)
        self.node = NodeProcess(order, folder / "log")
        self.scheduler = gridsched.connect(server.addresses, cluster_name=server.cluster_name)

    def outcomes(self, job: str) -> list[Outcome | None]:
        """Of the runs of the jobs whose keys begin so."""
        self.record.read()
        return [run.outcome for run in self.record.runs if run.job.startswith(job)]


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[SmallTrial]:
    with GridServer(config_xml=GRID_XML) as server:
        trial = SmallTrial(tmp_path, server)
        trial.subscribers.start()
        trial.node.start()
        try:
            yield trial
        finally:
            trial.scheduler.close()
            trial.node.kill()
            trial.subscribers.close()


def test_runs_in_every_place_and_subscribers_write_to_one_record(trial: SmallTrial) -> None:
    first = expression("result['attempt'] == 1")
    url, retry = trial.subscribers.url, Retry(3, delay=0.0)
    told = event("told", first, [f"{url}/busy", f"{url}/well"], retry=retry)
    for name, job in {
        "loop": Job(WORK, events=(told,)),
        "thread": Job(WORK_IN_THREAD),
        "process": Job(WORK, executor="process", data={"yields": 1}),
    }.items():
        trial.scheduler.submit(replace(job, name=name)).result(timeout=30)
    assert [trial.outcomes(f"DEFAULT/{name}") for name in ("loop", "thread")] == [["ok"], ["ok"]]
    assert trial.outcomes("DEFAULT/process") == ["yielded", "ok"]

    def told() -> list[str]:
        return sorted(outcome or "" for outcome in trial.outcomes(EVENTS_GROUP))

    wait_for(lambda: told() == ["failed", "failed", "ok", "ok"])
    assert {run.host for run in trial.record.runs} == {f"n#{trial.node.pid}"}


@pytest.mark.parametrize("job", [Job(WORK_IN_THREAD), Job(WORK, executor="process")])
def test_what_is_ended_from_outside_has_its_end_on_record(trial: SmallTrial, job: Job) -> None:
    going = trial.scheduler.submit(replace(job, name="long", data={"seconds": 600.0}))
    wait_for(lambda: trial.outcomes("DEFAULT/long") == [None])
    going.cancel()
    wait_for(lambda: trial.outcomes("DEFAULT/long") == ["cancelled"])


def test_a_death_counts_what_is_lost_and_what_ran_twice() -> None:
    runs = [Run(f"t@{at}", "j", 1, "n", started) for at, started in [(0, 5), (10, 12), (10, 900)]]
    measured = death({"t@0", "t@10", "t@20"}, runs, killed_at=100)
    assert (measured.instants, measured.lost, measured.twice) == (3, 1, 1)
    assert (measured.usual_gap, measured.gap, measured.latest) == (0.007, 0.888, 0.89)


def test_a_bug_that_is_none_is_refused_before_anything_starts() -> None:
    wrong = CliRunner().invoke(main, ["--plant", "no_such_bug"])
    assert wrong.exit_code == 2
    assert "there is no 'no_such_bug'; there are " in wrong.output
    assert "no_start_fence" in wrong.output
