"""How a command ends: every error is one line on standard error and a code for the shell."""

from __future__ import annotations

from typing import Any, Final

import click

from gridsched.cli.words import printable
from gridsched.errors import (
    ConfigurationError,
    GridError,
    GridMisconfigured,
    GridschedError,
    InvalidCron,
    NotFound,
)

EXIT_CODES: Final = {
    0: "done",
    1: "the request was refused or failed (rejected, job failed, no answer in time)",
    2: "the command line is wrong",
    3: "the grid cannot be reached, or refuses this client",
    4: "no such job, trigger, calendar, firing, result or member",
    5: "a configuration is wrong (the XML file, a setting, the grid's own)",
    6: "the audit found instants that are not accounted for",
    130: "interrupted",
}

UNACCOUNTED: Final = 6
_REQUEST: Final = 1
_INTERRUPTED: Final = 130
_CODES: Final[tuple[tuple[type[Exception], int], ...]] = (
    (NotFound, 4),
    (ConfigurationError, 5),
    (GridMisconfigured, 5),
    (GridError, 3),
)
"""The first that fits; any other error is one of the request."""

_CLICKS_OWN: Final = (
    click.ClickException,
    click.exceptions.Exit,
    click.Abort,
    BrokenPipeError,
)


def exit_code(error: Exception) -> int:
    """The exit code of an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), _REQUEST)


def describe(error: Exception) -> str:
    """What to say of an error; a cron expression is shown with a mark below what is wrong."""
    name = type(error).__name__
    text = str(error) if isinstance(error, GridschedError) else f"{name}: {error}".rstrip(": ")
    text = printable(text)
    if isinstance(error, InvalidCron) and error.expression.isprintable():
        return f"{text}\n  {error.expression}\n  {' ' * error.position}^"
    return text


class ErrorsAsExitCodes(click.Group):
    """A group whose commands never show a trace, unless `--debug` asks for it."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except _CLICKS_OWN:
            raise
        except KeyboardInterrupt:
            ctx.exit(_INTERRUPTED)
        except Exception as error:
            if ctx.params["debug"]:
                raise
            click.echo(f"error: {describe(error)}", err=True)
            ctx.exit(exit_code(error))
