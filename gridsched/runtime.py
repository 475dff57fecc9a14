"""How a process runs that is a node, a grid or a client and nothing else."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from importlib import import_module


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed, which reads and writes sockets at half the cost."""
    try:
        factory: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    except ImportError:
        factory = asyncio.new_event_loop
    return factory()


def settle_garbage_collector() -> None:
    """Spare the loop the long pauses of full collections, which make firings late by 15 ms and more.

    What is loaded by now is no garbage and is looked at no more; records hold no cycles, so that
    what comes later needs a full collection seldom. For the entry points of a process of its own:
    an application that holds a node decides for itself.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 50, 100)
