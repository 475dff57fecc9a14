"""Commands on a running cluster. All of them connect here."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

import click

from gridsched.cli.options import ADDRESSES, SECONDS, cluster_name_option
from gridsched.client.blocking import Scheduler
from gridsched.client.grids import DEFAULT_ADDRESS
from gridsched.client.start import connect


def remote(command: Callable[Concatenate[Scheduler, ...], None]) -> Callable[..., None]:
    """Gives a command a scheduler, connected to the cluster that its options name."""

    @click.option(
        "--grid",
        type=ADDRESSES,
        default=DEFAULT_ADDRESS,
        envvar="GRIDSCHED_GRID",
        show_default=True,
        show_envvar=True,
        help="Servers of the grid, tried in turn.",
    )
    @cluster_name_option
    @click.option(
        "--timeout",
        type=SECONDS,
        default=10.0,
        show_default=True,
        metavar="SECONDS",
        help="How long the cluster may take to answer a request.",
    )
    @wraps(command)
    def connected(
        *, grid: list[str], cluster_name: str | None, timeout: float, **options: Any
    ) -> None:
        with connect(grid, cluster_name=cluster_name, timeout=timeout) as scheduler:
            command(scheduler, **options)

    return connected
