"""`simulate`: the whole cluster on virtual time, with faults, judged."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from gridsched.cli.options import DURATION, INTERVAL, MOMENT, Written, instant
from gridsched.cli.output import print_json
from gridsched.client.resolve import resolve
from gridsched.simulation.fault_rates import faults_of, kinds_of
from gridsched.simulation.own import simulated, stretched
from gridsched.simulation.picture import lateness_picture
from gridsched.simulation.plan import elements
from gridsched.simulation.run import simulate as run
from gridsched.simulation.scenario import Scenario
from gridsched.simulation.shrink import shrink
from gridsched.simulation.story import is_about, story
from gridsched.simulation.summary import Summary, quantile, simulate_all, summarise

_DAY_MS: Final = 86_400_000
_STORY: Final = 40
_MOST_SEEDS: Final = 100_000
_MOST_DAYS: Final = 3660


def _seeds(text: str) -> range:
    first, dots, last = text.partition("..")
    if not (first.isdecimal() and (not dots or last.isdecimal())):
        raise ValueError(f"{text!r} is no range of seeds: write 1..100")
    seeds = range(int(first), int(last or first) + 1)
    if not 0 < len(seeds) <= _MOST_SEEDS:
        raise ValueError(f"{text!r} is {len(seeds)} seeds: write 1..100, of at most {_MOST_SEEDS}")
    return seeds


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if 0 < days <= _MOST_DAYS:
        return days
    raise ValueError(f"{text!r} is no number of days above 0, and at most {_MOST_DAYS}")


def _svg(text: str) -> Path:
    """Where a picture can be written: said before hours of simulation, not after them."""
    path = Path(text)
    if path.suffix.lower() != ".svg":
        raise ValueError(f"{text!r}: a picture is SVG: name it FILE.svg")
    if not path.parent.is_dir():
        raise ValueError(f"{text!r}: there is no folder {str(path.parent)!r}")
    if path.is_dir():
        raise ValueError(f"{text!r} is a folder")
    return path


@click.command()
@click.argument("config", type=click.Path(), metavar="[CONFIG.xml]", required=False)
@click.option("--nodes", type=click.IntRange(1, 100), default=5, show_default=True, metavar="N",
              help="How many nodes the cluster has.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), metavar="S",
              help="What chance is drawn from.  [default: 1]")  # fmt: skip
@click.option("--seeds", type=Written("A..B", _seeds), help="Every one of these seeds.")
@click.option("--days", type=Written("days", _days), help="Virtual days.")
@click.option("--for", "span", type=INTERVAL, default="10M", show_default=True,
              help="Virtual time in all, where --days is not given.")  # fmt: skip
@click.option("--faults", type=Written("kinds", faults_of), default="all", show_default=True,
              help="all, none, or kinds with commas between: see docs/reliability.md.")  # fmt: skip
@click.option("--triggers", type=click.IntRange(0, 1_000_000), metavar="N",
              help="Made up by chance; default: 200, or none beside a CONFIG.")  # fmt: skip
@click.option("--from", "start", type=MOMENT, help="What the clocks say when it begins.")
@click.option("--run-time", type=DURATION, default="0", help="How long the CONFIG's jobs run.")
@click.option("--only", metavar="ELEMENTS",
              help="Carry out only these of the plan, with commas between, or none.")  # fmt: skip
@click.option("--cut", type=DURATION, help="Let the calm come already after this time.")
@click.option("--shuffle", type=click.IntRange(0), default=0, metavar="N",
              help="The same plan in another order, with other faults of single calls.")  # fmt: skip
@click.option("--picture", type=Written("file.svg", _svg),
              help="Draw how late runs started (of one seed).")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def simulate(
    *, seed: int | None, seeds: range | None, picture: Path | None, as_json: bool, **options: Any
) -> None:
    """Run a whole cluster on virtual time, with faults, and judge what became of every instant.

    Without CONFIG.xml jobs and commands are made up by chance. With it the cluster has that config's
    settings, and its startup jobs, in whose place one runs that takes --run-time: nothing of
    the config's own is run. The same seed gives the same history. Exits with 1 where a rule is
    broken.
    """
    chosen = _chosen(seed, seeds)
    if len(chosen) > 1 and picture is not None:
        raise click.UsageError("--picture is of one seed: give --seed")
    scenarios = [_scenario(each, options) for each in chosen]
    summaries: list[Summary] = []
    for summary in _simulated(scenarios, quiet=as_json):
        summaries.append(summary)
        if not as_json:
            click.echo(_line(summary))
            for violation in summary.violations:
                click.echo(f"  {violation.rule}: {violation.key} {violation.problem}")
    if picture is not None:
        picture.write_text(lateness_picture(_title(summaries[-1]), summaries[-1].lateness))
    failed = [summary for summary in summaries if summary.violations]
    if as_json:
        print_json([_as_json(summary) for summary in summaries])
    elif failed:
        _explain(failed[0].scenario)
    elif len(summaries) > 1:
        click.echo(f"{len(summaries)} seeds, no rule broken")
    if failed:
        click.get_current_context().exit(1)


def _chosen(seed: int | None, seeds: range | None) -> Sequence[int]:
    if seeds is None:
        return (1 if seed is None else seed,)
    if seed is not None:
        raise click.UsageError("--seed and --seeds exclude each other")
    return seeds


def _scenario(seed: int, options: dict[str, Any]) -> Scenario:
    """What the options ask for; calm for the second half, or for two minutes where that is less."""
    config, days, start = options["config"], options["days"], options["start"]
    seconds = (options["span"] if days is None else round(days * _DAY_MS)) / 1000
    base = Scenario()
    settings, triggers = base.settings, base.triggers
    if config is not None:
        settings = simulated(resolve(config, {}).settings, options["run_time"] / 1000)
        triggers = 0
    given, cut, only = options["triggers"], options["cut"], options["only"]
    if cut is not None and cut > seconds * 1000:
        raise click.UsageError(f"--cut is after the end, which comes after {seconds:g} s")
    return _with_only(
        only,
        Scenario(
            seed=seed,
            nodes=options["nodes"],
            seconds=seconds,
            calm=min(base.calm, seconds / 2),
            start=base.start if start is None else instant(start, None),
            triggers=triggers if given is None else given,
            faults=options["faults"],
            settings=stretched(settings, seconds),
            cut=None if cut is None else cut / 1000,
            shuffle=options["shuffle"],
        ),
    )


def _with_only(names: str | None, scenario: Scenario) -> Scenario:
    """This scenario with only these elements of its plan; UsageError where it has no such."""
    if names is None:
        return scenario
    only = tuple(name.strip() for name in names.split(",") if names != "none")
    planned = elements(scenario)
    for name in only:
        if name not in planned:
            shown = get_close_matches(name, planned) or planned[:3]
            raise click.UsageError(
                f"--only: the plan of seed {scenario.seed} has no {name!r}; it has "
                f"{', '.join(shown)} and so on, {len(planned)} in all"
            )
    return msgspec.structs.replace(scenario, only=only)


def _simulated(scenarios: Sequence[Scenario], *, quiet: bool) -> Iterator[Summary]:
    if len(scenarios) > 1:
        yield from simulate_all(scenarios)
        return
    (scenario,) = scenarios
    seconds = round(scenario.trouble + scenario.calm)
    with click.progressbar(length=seconds, label="simulating", hidden=quiet) as bar:
        yield summarise(run(scenario, lambda now: bar.update(round(now) - bar.pos)))


def _line(summary: Summary) -> str:
    outcomes = ", ".join(f"{n} {state}" for state, n in sorted(summary.outcomes.items()))
    late = [quantile(summary.lateness, share) for share in (0.5, 0.99, 1.0)]
    return (
        f"seed {summary.scenario.seed}: {summary.instants} instants ({outcomes or 'none'}), "
        f"{summary.runs} runs, {summary.troubles} troubles, {summary.commands} commands; late by "
        f"{late[0]} ms (p50), {late[1]} (p99), {late[2]} (most); trace {summary.trace}; "
        f"{len(summary.violations) or 'no'} rule(s) broken"
    )


def _title(summary: Summary) -> str:
    scenario = summary.scenario
    return f"Lateness of {len(summary.lateness)} runs, {scenario.nodes} nodes, seed {scenario.seed}"


def _as_json(summary: Summary) -> dict[str, Any]:
    return {
        "seed": summary.scenario.seed,
        "seconds": summary.scenario.seconds,
        "instants": summary.instants,
        "outcomes": dict(summary.outcomes),
        "runs": summary.runs,
        "troubles": summary.troubles,
        "commands": summary.commands,
        "lateness_ms": {
            "p50": quantile(summary.lateness, 0.5),
            "p99": quantile(summary.lateness, 0.99),
            "most": quantile(summary.lateness, 1.0),
        },
        "trace": summary.trace,
        "violations": [violation._asdict() for violation in summary.violations],
    }


def _explain(scenario: Scenario) -> None:
    """The shortest history of the first failure that a search finds, and how to see it again."""
    click.echo(f"\nreplay: {shlex.join(_replay(scenario))}")
    click.echo("looking for a short history that breaks the same rule …")
    found = shrink(run(scenario), _tell)
    violation, smallest = found.violation, found.report.scenario
    click.echo(f"the shortest of {found.tries} tries, trace {found.report.trace}:")
    click.echo(f"replay: {shlex.join(_replay(smallest))}")
    click.echo(f"\n{violation.rule}: {violation.key} {violation.problem}")
    again = run(smallest, watched=partial(is_about, violation.key))
    for line in _last(story(violation, again.history)):
        click.echo(f"  {line}")


def _tell(tries: int, found: Scenario) -> None:
    left = len(elements(found))
    rest = f"{found.nodes} nodes, {found.trouble:.0f} s, faults {kinds_of(found.faults)}"
    click.echo(f"  try {tries}: {left} elements, {rest}")


def _last(lines: Sequence[object]) -> Iterable[object]:
    left = len(lines) - _STORY
    return lines if left <= 0 else [f"({left} lines before)", *lines[left:]]


def _duration(seconds: float) -> str:
    """As options take it; shorter where these are whole seconds."""
    whole, rest = divmod(round(seconds * 1000), 1000)
    return f"{whole * 1000 + rest}MS" if rest else f"{whole}S"


def _replay(scenario: Scenario) -> list[str]:
    """The command that was given, with the seed that failed and what is left of its plan."""
    given = click.get_current_context()
    words = ["gridsched", "simulate", *([given.params["config"]] if given.params["config"] else [])]
    words += ["--seed", str(scenario.seed), "--nodes", str(scenario.nodes)]
    words += ["--faults", kinds_of(scenario.faults), "--for", _duration(scenario.seconds)]
    words += ["--triggers", str(scenario.triggers)]
    if given.params["start"] is not None:
        words += ["--from", datetime.isoformat(given.params["start"])]
    if given.params["run_time"]:
        words += ["--run-time", f"{given.params['run_time']}MS"]
    if scenario.cut is not None:
        words += ["--cut", _duration(scenario.cut)]
    if scenario.shuffle:
        words += ["--shuffle", str(scenario.shuffle)]
    if scenario.only is not None:
        words += ["--only", ",".join(scenario.only) or "none"]
    return words
