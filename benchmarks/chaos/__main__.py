"""The command: `python -m benchmarks.chaos`. See docs/chaos.md."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from benchmarks.chaos import measures
from benchmarks.chaos.jobs import WORK_IN_THREAD
from benchmarks.chaos.node import bugs
from benchmarks.chaos.stage import set_up_signals
from benchmarks.chaos.trial import ENTRY_MS, LATENESS_MS, Judged, Trial, carry_out
from gridsched.model.job import Job
from gridsched.simulation.facts import Facts, is_delivery
from gridsched.simulation.history import Run
from gridsched.simulation.story import story

_STORY = 40
_SHOWN = 5


def _known(_ctx: click.Context, _option: click.Parameter, bug: str) -> str:
    if bug and bug not in (known := bugs()):
        raise click.BadParameter(f"there is no {bug!r}; there are {', '.join(known)}")
    return bug


@click.command()
@click.option("--seconds", type=click.FloatRange(10), default=120.0, show_default=True,
              help="How long there is trouble; the start and the calm come on top.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), help="Default: one that the clock gives.")
@click.option("--triggers", type=click.IntRange(1), default=120, show_default=True)
@click.option("--plant", default="", metavar="BUG", callback=_known,
              help="A bug of tests/simulation/planted_bugs.py for every node, to be found.")  # fmt: skip
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path),
              help="For logs and the record; default: a new one.")  # fmt: skip
@click.option("--measure", type=click.Choice(["takeover", "member", "minority"]),
              help="Measure one thing instead.")  # fmt: skip
@click.option("--kills", type=click.IntRange(1), default=20, show_default=True,
              help="Of nodes, for --measure takeover.")  # fmt: skip
@click.option("--rate", type=click.IntRange(1), default=1000, show_default=True,
              help="Fires a second, for --measure member.")  # fmt: skip
def main(
    *,
    seconds: float,
    seed: int | None,
    triggers: int,
    plant: str,
    folder: Path | None,
    measure: str | None,
    kills: int,
    rate: int,
) -> None:
    """Kill, stop and restart real nodes and real members, and judge what became of every instant.

    Exits with 1 where a rule is broken, or a measure misses its target.
    """
    set_up_signals()
    folder = folder or Path(tempfile.mkdtemp(prefix="gridsched-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()

    def say(text: str) -> None:
        click.echo(f"{time.monotonic() - began:7.1f} s  {text}")

    if measure == "takeover":
        well = show_takeovers(asyncio.run(measures.take_over(folder, kills, say)))
    elif measure == "member":
        well = show_death(asyncio.run(measures.kill_member(folder, rate, 30.0, say)), rate)
    elif measure == "minority":
        well = show_minority(asyncio.run(measures.minority(folder, 6.0, 20.0)))
    else:
        trial = Trial(int(time.time()) if seed is None else seed, seconds, triggers, planted=plant)
        well = show(asyncio.run(carry_out(trial, folder, say)), folder)
    if not well:
        raise SystemExit(1)


def show(judged: Judged, folder: Path) -> bool:
    """Print what a trial came to, and keep it beside its logs. True where no rule is broken."""
    text = "\n".join(_report(judged, folder))
    (folder / "report.txt").write_text(f"{text}\n", "utf-8")
    print(text)
    return not judged.violations


def _report(judged: Judged, folder: Path) -> Iterator[str]:
    trial, history = judged.trial, judged.history
    record, jobs = history.record, Facts(history).jobs
    yield f"seed        {trial.seed}"
    yield f"trouble     {_counted([t.kind for t in record.troubles])}, in {trial.seconds:g} s"
    yield f"commands    {_counted([f'{c.kind} {c.answer}' for c in record.commands])}"
    yield f"firings     {_counted([firing.state for firing in history.firings])}"
    yield f"instants    {sum(firing.count for firing in history.firings)} on record"
    yield f"runs        {_counted([run.outcome or 'without an end' for run in record.runs])}"
    yield f"places      {_counted([_place(run, jobs) for run in record.runs])}"
    told = [firing.state for firing in history.firings if is_delivery(firing.job)]
    published = sum(len(firing.events) for firing in history.firings)
    yield f"events      {published} published; told of: {_counted(told)}"
    yield f"lost        {sum(firing.state == 'LOST' for firing in history.firings)}, recorded as such"
    yield f"lateness    {_lateness(judged)}"
    yield (
        f"bounds      in the calm a run starts within {LATENESS_MS} ms of its instant, from "
        f"{trial.settle / 1000:g} s after the last trouble on; a function is entered within "
        f"{ENTRY_MS} ms"
    )
    yield f"violations  {len(judged.violations)}"
    for violation in judged.violations:
        yield f"  {violation.rule}: {violation.key} {violation.problem}"
    for violation in judged.violations[:_SHOWN]:
        yield f"\n{violation.rule}: {violation.key} {violation.problem}"
        yield from (f"  {line}" for line in story(violation, history)[-_STORY:])
    yield f"logs        {folder}"
    again = f"--seconds {trial.seconds:g} --seed {trial.seed} --triggers {trial.triggers}"
    again += f" --plant {trial.planted}" if trial.planted else ""
    yield f"again       python -m benchmarks.chaos {again}"


def _counted(words: Sequence[str]) -> str:
    counted = Counter(words)
    each = ", ".join(f"{count} {word}" for word, count in sorted(counted.items()))
    return f"{len(words)} ({each})" if words else "0"


def _place(run: Run, jobs: Mapping[str, Job]) -> str:
    if is_delivery(run.job):
        return "deliveries"
    job = jobs[run.job]
    if job.executor == "process":
        return "in processes"
    return "in threads" if job.target == WORK_IN_THREAD else "coroutines"


def _lateness(judged: Judged) -> str:
    """Of first runs for their own instant, in the whole trial and in the settled calm."""
    history = judged.history
    firings = {firing.key: firing for firing in history.firings if firing.fire_at is None}
    firsts = [run for run in history.record.runs if run.attempt == 1 and run.firing in firings]
    settled = history.calm_since + history.bounds.settle
    calm = [run for run in firsts if firings[run.firing].scheduled >= settled]

    def late(runs: list[Run]) -> str:
        ms = sorted(run.started - firings[run.firing].scheduled for run in runs)
        return f"p50 {_share(ms, 0.5)} ms, p99 {_share(ms, 0.99)} ms of {len(ms)}" if ms else "none"

    return f"{late(firsts)}; settled: {late(calm)}"


def _share(ordered: Sequence[float], share: float) -> float:
    """The value that a share of the ordered ones does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def show_takeovers(measured: Sequence[measures.TakeOver]) -> bool:
    """Print them. True where the p99 is under 4 s."""
    for name, values in (
        ("first", sorted(each.first for each in measured)),
        ("last", sorted(each.last for each in measured)),
    ):
        figures = ", ".join(f"{word} {_share(values, s):.2f} s" for word, s in _SHARES)
        print(f"takeover, {name} trigger of {len(measured)} dead nodes: {figures}")
    return _share(sorted(each.first for each in measured), 0.99) < 4


_SHARES = (("p50", 0.5), ("p99", 0.99))


def show_death(measured: measures.Death, rate: int) -> bool:
    """Print it. True where nothing is lost or twice, and the stall is under 2 s."""
    print(f"a member killed under {rate} fires a second, {measured.instants} instants:")
    print(f"lost {measured.lost}, twice {measured.twice}")
    print(f"longest time without a start: {measured.gap:.3f} s ({measured.usual_gap:.3f} s before)")
    print(f"the latest run was {measured.latest:.3f} s late")
    return not measured.lost and not measured.twice and measured.gap < 2


def show_minority(measured: measures.Minority) -> bool:
    """Print it. True where nothing started after the window."""
    print(f"two members of three killed at once, {measured.window:g} s to notice:")
    print(f"started within {measured.within}, after it {measured.after}")
    return measured.after == 0


if __name__ == "__main__":
    main()
