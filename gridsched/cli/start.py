"""`start`: a node in this process."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Any

import click
from msgspec.structs import replace

from gridsched import aio
from gridsched.cli import logs
from gridsched.cli.live import Live, Screen
from gridsched.cli.options import ATTRIBUTE, DURATION, GRID, LISTEN, NOWHERE, POLICY
from gridsched.cli.serve import serve
from gridsched.cli.tally import Tally
from gridsched.client.entry import resolve_settings
from gridsched.client.grids import DEFAULT_ADDRESS, EMBEDDED
from gridsched.config.settings import Settings
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
    default=EMBEDDED,
    show_default=True,
    help="A grid in this process, or the servers of a cluster, tried in turn.",
)
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
    help="Fire only once N nodes are active; default: the config's, or 1.",
)
@click.option(
    "--cluster-name",
    envvar="GRIDSCHED_CLUSTER_NAME",
    show_envvar=True,
    metavar="NAME",
    help="The grid's cluster name; default: dev, then gridsched.",
)
@click.option("--for", "lasting", type=DURATION, help="Stop after this time, such as 10s.")
@click.option(
    "--allow",
    multiple=True,
    metavar="PATTERN",
    help="Targets that may run here (shop.tasks:*), besides the config's. May be repeated.",
)
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
    listen: str | None,
    server_count: int | None,
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
    settings = _settings(config, server_count, allow)
    settings = replace(
        settings,
        dispatcher_policy=dispatch or settings.dispatcher_policy,
        attributes={**settings.attributes, **dict(attributes)},
    )
    tally = Tally()
    hooks: list[Hook] = [tally]
    if live:
        hooks.append(Live(Screen(highlight=False), settings.jobs))
    if listen is None and options["grid"] == EMBEDDED:
        listen = DEFAULT_ADDRESS
    options["listen"] = None if listen == NOWHERE else listen
    starting = aio.start(settings, hooks=hooks, **options)
    seconds = None if lasting is None else lasting / 1000
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve(starting, seconds))
    finally:
        if tally.activated:
            click.echo("\n".join(tally.summary()))


def _settings(config: str | None, server_count: int | None, allow: Sequence[str]) -> Settings:
    settings = resolve_settings(config, {})
    return replace(
        settings,
        server_count=server_count or settings.server_count,
        allowed_jobs=(*settings.allowed_jobs, *allow),
    )
