"""`start`: a node in this process."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Any

import click
from click.core import ParameterSource
from msgspec.structs import replace

from gridsched import aio
from gridsched.cli import logs
from gridsched.cli.live import Live, Screen
from gridsched.cli.options import (
    ATTRIBUTE,
    DURATION,
    GRID,
    LISTEN,
    NOWHERE,
    POLICY,
    SERVER_COUNT,
    allow_option,
    cluster_name_option,
    coordination_option,
    jobclasses_option,
)
from gridsched.cli.serve import serve
from gridsched.cli.tally import Tally
from gridsched.client.grids import DEFAULT_ADDRESS, EMBEDDED
from gridsched.client.resolve import resolve
from gridsched.model.dispatch import DispatchPolicy
from gridsched.node.hooks import Hook
from gridsched.runtime import new_event_loop


@click.command()
@click.argument("config", required=False, type=click.Path(), metavar="[CONFIG.xml]")
@click.option(
    "--name", default="", metavar="NAME", help="The node's name; default: made of the scheduler's."
)
@click.option(
    "--grid",
    type=GRID,
    metavar="embedded|HOST:PORT,…",
    help="A grid in this process, or the servers of a cluster, tried in turn; default: as the "
    "coordination file says, else embedded.",
)
@coordination_option
@jobclasses_option
@click.option(
    "--listen",
    type=LISTEN,
    metavar="HOST:PORT|none",
    help=f"Where the embedded grid serves clients and other nodes.  [default: {DEFAULT_ADDRESS}]",
)
@click.option(
    "--server-count",
    type=click.IntRange(min=1),
    metavar="N",
    envvar="GRIDSCHED_TASK_SERVER_COUNT",
    show_envvar=True,
    help="Fire only once N nodes live at the same time; default: the config's, or 1.",
)
@click.option(
    "-D",
    "properties",
    type=SERVER_COUNT,
    multiple=True,
    metavar="NAME=VALUE",
    help="The same as a system property: -Dtask.server.count=N.",
)
@cluster_name_option
@click.option("--for", "lasting", type=DURATION, help="Stop after this time, such as 10s.")
@allow_option
@click.option(
    "--dispatch",
    type=POLICY,
    help="On which nodes jobs run that have no policy of their own; default: the config's, or "
    "RoundRobin.",
)
@click.option(
    "--attribute",
    "attributes",
    type=ATTRIBUTE,
    multiple=True,
    help="An attribute of this node, for policies that match it, besides the config's. May be "
    "repeated.",
)
@click.option("--live", is_flag=True, help="Print a line for each run, with how late it was.")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="Log to standard error from this level on.",
)
def start(
    *,
    config: str | None,
    grid: str | list[str] | None,
    listen: str | None,
    coordination: str | None,
    jobclasses: str | None,
    server_count: int | None,
    properties: tuple[int, ...],
    lasting: int | None,
    allow: tuple[str, ...],
    dispatch: DispatchPolicy | None,
    attributes: tuple[tuple[str, str], ...],
    live: bool,
    log_level: str,
    **options: Any,
) -> None:
    """Start a node, with the settings and startup jobs of CONFIG.xml.

    Modules of jobs are found in the current folder too. Prints READY once it is active, with the
    address at which clients connect and the node's name, and at its end what it did. SIGTERM or
    Ctrl-C stops it in order: it claims nothing more, gives back what has not started and lets
    running jobs finish within the grace period; a second one ends it at once.
    """
    logs.configure(log_level, runs_shown=live)
    sys.path.insert(0, os.getcwd())
    resolved = resolve(
        config,
        _server_count(server_count, properties),
        grid=grid,
        coordination=coordination,
        jobclasses=jobclasses,
        allow=allow,
    )
    settings = replace(
        resolved.settings,
        dispatcher_policy=dispatch or resolved.settings.dispatcher_policy,
        attributes={**resolved.settings.attributes, **dict(attributes)},
    )
    tally = Tally()
    hooks: list[Hook] = [tally]
    if live:
        hooks.append(Live(Screen(highlight=False), settings.jobs))
    if listen is None and resolved.grid == EMBEDDED:
        listen = DEFAULT_ADDRESS
    listen = None if listen == NOWHERE else listen
    starting = aio.start(settings, grid=resolved.grid, listen=listen, hooks=hooks, **options)
    seconds = None if lasting is None else lasting / 1000
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve(starting, seconds))
    finally:
        if tally.activated:
            click.echo("\n".join(tally.summary()))


def _server_count(given: int | None, properties: Sequence[int]) -> dict[str, int]:
    """The count as a change to the settings, where one is given: by option, else by environment."""
    counts = set(properties)
    source = click.get_current_context().get_parameter_source("server_count")
    if given is not None and not (counts and source is ParameterSource.ENVIRONMENT):
        counts.add(given)
    if len(counts) > 1:
        raise click.UsageError(f"two server counts are given: {sorted(counts)}")
    return {"server_count": counts.pop()} if counts else {}
