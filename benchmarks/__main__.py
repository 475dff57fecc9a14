"""The command: `python -m benchmarks`."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.cases import GRIDS, SCENARIOS, cases
from benchmarks.report import as_json, show
from benchmarks.running import Result, add_run

RESULTS = Path(__file__).parent / "results" / "latest.json"


def _chosen(text: str, known: tuple[str, ...]) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise click.BadParameter(f"{name!r}; there are {', '.join(known)}")
    return names


@click.command()
@click.option("--only", default=",".join(SCENARIOS), help="Scenarios, separated by commas.")
@click.option("--grids", default=",".join(GRIDS), help="embedded, wire, hazelcast, peers.")
@click.option("--quick", is_flag=True, help="A tenth of each load: to see that it works.")
@click.option(
    "--repeat", default=1, show_default=True, help="Runs of each case; medians are shown."
)
@click.option("--json", "target", type=click.Path(path_type=Path), default=RESULTS)
def main(only: str, grids: str, quick: bool, repeat: int, target: Path) -> None:
    """Measure gridsched and its peers side by side; print a table and write JSON."""
    subjects = [name for grid in _chosen(grids, tuple(GRIDS)) for name in GRIDS[grid]]
    results = [Result(case) for case in cases(_chosen(only, SCENARIOS), subjects, quick=quick)]
    for _ in range(repeat):
        for result in results:
            click.echo(f"{result.case.name}: {result.case.subject}", err=True)
            add_run(result)
    show(results)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(as_json(results))
    click.echo(f"written: {target}", err=True)
    if any(result.errors for result in results):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
