"""`benchmarks.chaos`: its parts; `.ci/run` runs all of it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from benchmarks.chaos.measures import death
from benchmarks.chaos.plan import LONGEST_FREEZE, plan
from benchmarks.chaos.record import ReadRecord, WrittenRecord
from gridsched.simulation.history import Run


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


def test_a_death_counts_what_is_lost_and_what_ran_twice() -> None:
    runs = [Run(f"t@{at}", "j", 1, "n", started) for at, started in [(0, 5), (10, 12), (10, 900)]]
    measured = death({"t@0", "t@10", "t@20"}, runs, killed_at=100)
    assert (measured.instants, measured.lost, measured.twice) == (3, 1, 1)
    assert (measured.usual_gap, measured.gap, measured.latest) == (0.007, 0.888, 0.89)
