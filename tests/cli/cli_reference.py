"""Writes docs/cli.md from the commands themselves: python tests/cli/cli_reference.py"""

from __future__ import annotations

from pathlib import Path

import click

from gridsched.cli import main
from gridsched.cli.exits import EXIT_CODES

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"

_INTRODUCTION = """# The command line

<!-- Written by tests/cli/cli_reference.py from the commands themselves. -->

`gridsched start` runs a node. `validate` and `next` need no cluster. All other commands ask a running
cluster: they take `--grid HOST:PORT,…` (or `GRIDSCHED_GRID`) and try its servers in turn. What they
print for people is a table, fitted to a terminal and never cut in a pipe; `--json` prints the fields
of the model with the `key`, and instants in epoch milliseconds.

Errors are one line on standard error; `--debug` (or `GRIDSCHED_DEBUG=1`) shows where they came from.

## Exit codes

| Code | Meaning |
|---|---|
"""


def reference() -> str:
    """The whole page."""
    context = _context(main, "gridsched")
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items())
    return _INTRODUCTION + codes + _sections(main, context)


def _sections(command: click.Command, context: click.Context) -> str:
    """The section of a command, then those of its subcommands."""
    written = f"\n## {context.command_path}\n\n```text\n{context.get_help()}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            each = command.get_command(context, name)
            written += _sections(each, _context(each, name, context))
    return written


def _context(
    command: click.Command, name: str | None, parent: click.Context | None = None
) -> click.Context:
    return command.make_context(name, [], parent, resilient_parsing=True, terminal_width=100)


if __name__ == "__main__":
    PAGE.write_text(reference(), "utf-8")
