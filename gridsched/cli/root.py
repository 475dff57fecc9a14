"""The command `gridsched` with its subcommands."""

from __future__ import annotations

import logging

import click

from gridsched import __version__
from gridsched.cli.calendars import calendars
from gridsched.cli.changes import delete, fire, pause, resume
from gridsched.cli.cluster import cluster, members
from gridsched.cli.exits import EXIT_CODES, ErrorsAsExitCodes
from gridsched.cli.grid import grid
from gridsched.cli.listing import firings, jobs, results, triggers
from gridsched.cli.start import start
from gridsched.cli.submit import submit
from gridsched.cli.upcoming import upcoming
from gridsched.cli.validate import validate

_EPILOG = "\b\nExit codes:\n" + "\n".join(
    f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items()
)


@click.group(
    cls=ErrorsAsExitCodes,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="gridsched")
@click.option(
    "--debug",
    is_flag=True,
    envvar="GRIDSCHED_DEBUG",
    show_envvar=True,
    help="Show the trace of an error, and what the grid's client logs.",
)
def main(debug: bool) -> None:
    """A distributed job scheduler on an in-memory data grid."""
    if debug:
        logging.basicConfig(level=logging.DEBUG)
    else:
        # What a command has to say it prints; without a handler Python would write warnings.
        logging.getLogger().addHandler(logging.NullHandler())


for command in (
    start,
    validate,
    cluster,
    members,
    jobs,
    triggers,
    calendars,
    firings,
    results,
    submit,
    pause,
    resume,
    delete,
    fire,
    upcoming,
    grid,
):
    main.add_command(command)
