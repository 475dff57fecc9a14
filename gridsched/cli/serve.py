"""A node on the main thread until a signal, its time, or another start of it ends it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Coroutine
from typing import Any

import click

from gridsched.aio import NodeHandle
from gridsched.errors import NodeNameTaken
from gridsched.runtime import settle_garbage_collector

_log = logging.getLogger("gridsched.cli")


async def serve(starting: Coroutine[Any, Any, NodeHandle], seconds: float | None) -> None:
    """Run a node, for `seconds` where given. SIGTERM and SIGINT end it in order, a second one at
    once. NodeNameTaken where another start of the node took its place."""
    asked = asyncio.Event()
    _on_signals(asked)
    node = await _started(starting, asked)
    if node is None:
        return
    settle_garbage_collector()
    async with node:
        click.echo(
            f"READY {node.address} node {node.name}" if node.address else f"READY {node.name}"
        )
        await _first([asked.wait(), node.node.stopped.wait()], seconds)
        replaced = node.node.stopped.is_set()
    if replaced:
        raise NodeNameTaken(f"node {node.name!r} was started again elsewhere")


def _on_signals(asked: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        if asked.is_set():
            # Whatever still runs is what the user does not want to wait for.
            os._exit(128 + number)
        _log.info("%s: stopping in order; once more ends it at once", number.name)
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)


async def _started(
    starting: Coroutine[Any, Any, NodeHandle], asked: asyncio.Event
) -> NodeHandle | None:
    """The node once it is active; None where it was asked to stop before."""
    start = asyncio.ensure_future(starting)
    await _first([asyncio.shield(start), asked.wait()], None)
    if not start.done():
        start.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await start
        return None
    return start.result()


async def _first(waits: list[Any], seconds: float | None) -> None:
    """Until the first of these is done, or the time is over."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
