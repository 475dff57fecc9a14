"""What a job is to do, on the command line: a target, a request or an operation."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from gridsched.cli.options import Written
from gridsched.model.http import METHODS, HttpTask, ServiceOperation


def task_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds them to a command, which gets `target` and `task`, one of them empty."""

    @click.argument("target", default="")
    @click.option("--http", "url", metavar="URL", help="Send a request there.")
    @click.option(
        "--method",
        type=click.Choice(METHODS, case_sensitive=False),
        metavar="METHOD",
        help="The request's method; default: GET.",
    )
    @click.option(
        "--header",
        "headers",
        multiple=True,
        type=Written("NAME=VALUE", _header),
        help="A header of the request. May be repeated.",
    )
    @click.option("--body", metavar="TEXT", help="The request's body.")
    @click.option(
        "--expect",
        multiple=True,
        type=click.IntRange(200, 599),
        metavar="STATUS",
        help="A status that is a success; default: 200 to 299. May be repeated.",
    )
    @click.option("--service", metavar="NAME", help="Call an operation of this data service.")
    @click.option("--operation", metavar="NAME", help="Which one.")
    @wraps(command)
    def chosen(
        *,
        target: str,
        url: str | None,
        service: str | None,
        operation: str | None,
        method: str | None,
        headers: tuple[tuple[str, str], ...],
        body: str | None,
        expect: tuple[int, ...],
        **options: Any,
    ) -> None:
        if url is None and (method or headers or body or expect):
            raise click.UsageError("--method, --header, --body and --expect are for --http")
        if (service is None) != (operation is None):
            raise click.UsageError("--service and --operation go together")
        if bool(target) + (url is not None) + (service is not None) != 1:
            raise click.UsageError("give one of TARGET, --http and --service")
        task: HttpTask | ServiceOperation | None = None
        if url is not None:
            task = HttpTask(url, method or "GET", dict(headers), body or "", expect)
        if service is not None and operation is not None:
            task = ServiceOperation(service, operation)
        command(target=target, task=task, **options)

    return chosen


def _header(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark:
        raise ValueError(f"{text!r} is not written NAME=VALUE")
    return name, value
