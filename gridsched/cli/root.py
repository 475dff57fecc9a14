"""The command `gridsched` with its subcommands."""

from __future__ import annotations

import logging
import os
import sys
from difflib import get_close_matches
from importlib import import_module
from io import TextIOWrapper
from typing import Final

import click

from gridsched import __version__
from gridsched.cli.exits import EXIT_CODES, ErrorsAsExitCodes

_COMMANDS: Final = {
    "start": "start",
    "validate": "validate",
    "cluster": "cluster",
    "members": "cluster",
    "jobs": "listing",
    "triggers": "listing",
    "calendars": "calendars",
    "groups": "listing",
    "firings": "listing",
    "results": "results",
    "submit": "submit",
    "pause": "changes",
    "resume": "changes",
    "cancel": "changes",
    "discard": "changes",
    "backfill": "backfill",
    "delete": "changes",
    "fire": "changes",
    "audit": "audit",
    "explain": "explain",
    "next": "upcoming",
    "simulate": "simulate",
    "grid": "grid",
}
"""The module of each command; it is loaded when the command is asked for."""

_EPILOG = "\b\nExit codes:\n" + "\n".join(
    f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items()
)


class _Commands(ErrorsAsExitCodes):
    """The commands, loaded as they are needed: `grid` is to be ready at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], _COMMANDS)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise click.UsageError(error.message + hint, ctx) from None

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        home = _COMMANDS.get(cmd_name)
        if home is None:
            return None
        module = import_module(f"gridsched.cli.{home}")
        command: click.Command = getattr(module, "upcoming" if cmd_name == "next" else cmd_name)
        return command


@click.group(
    cls=_Commands,
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
    _fill_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # what it has no character for is shown as \u2603
            stream.reconfigure(errors="backslashreplace")
    if debug:
        logging.basicConfig(level=logging.DEBUG)
    else:
        # What a command has to say it prints; without a handler Python would write warnings.
        logging.getLogger().addHandler(logging.NullHandler())


def _fill_standard_streams() -> None:
    """Where one is closed, as some supervisors start a process, a socket would take its number, and
    libuv, on which uvloop stands, aborts when that is closed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
