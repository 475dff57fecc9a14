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
        method: str | None,
        headers: tuple[tuple[str, str], ...],
        body: str | None,
        expect: tuple[int, ...],
        service: str | None,
        operation: str | None,
        **options: Any,
    ) -> None:
        request = _request(url, method, dict(headers), body, expect)
        call = _operation(service, operation)
        if bool(target) + (request is not None) + (call is not None) != 1:
            raise click.UsageError("give one of TARGET, --http and --service")
        command(target=target, task=request or call, **options)

    return chosen


def _request(
    url: str | None,
    method: str | None,
    headers: dict[str, str],
    body: str | None,
    expect: tuple[int, ...],
) -> HttpTask | None:
    if url is not None:
        return HttpTask(url, method or "GET", headers, body or "", expect)
    if method or headers or body or expect:
        raise click.UsageError("--method, --header, --body and --expect are for --http")
    return None


def _operation(service: str | None, operation: str | None) -> ServiceOperation | None:
    if service is not None and operation is not None:
        return ServiceOperation(service, operation)
    if service is not None or operation is not None:
        raise click.UsageError("--service and --operation go together")
    return None


def _header(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark:
        raise ValueError(f"{text!r} is not written NAME=VALUE")
    return name, value
