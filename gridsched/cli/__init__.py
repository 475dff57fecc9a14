"""The command line: it reads what the user wrote, asks the facade, prints the answer."""

from gridsched.cli.root import main

__all__ = ["main"]
