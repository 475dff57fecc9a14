"""Jobs that do nothing but note when they started.

Raw moments are kept in a list of this process and become figures after the run: whatever a job
computes here would be part of what is measured.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from gridsched import Hook, JobContext
from gridsched.jobs.context import aware
from gridsched.model.firing import Firing

ALLOWED = "benchmarks.jobs:*"

Seen = tuple[str, datetime, float]
"""Trigger key, scheduled instant, and when the function was entered, or the request came to the
service (epoch seconds)."""

SEEN: list[Seen] = []


async def nothing_async(context: JobContext) -> None:
    SEEN.append((context.trigger_key, context.scheduled_time, time.time()))


async def numbered(context: JobContext, number: int) -> int:
    """Returns what it was given, so that its outcome can be told from any other."""
    SEEN.append((context.trigger_key, context.scheduled_time, time.time()))
    return number


def nothing_thread(context: JobContext) -> None:
    SEEN.append((context.trigger_key, context.scheduled_time, time.time()))


class Arrivals(Hook):
    """Notes when requests came to the service, which says so itself."""

    def on_finished(self, firing: Firing, value: Any) -> None:
        if value is not None:
            SEEN.append((firing.trigger, aware(firing.scheduled), value["json"]["came"]))


def samples(seen: list[Seen]) -> list[list[object]]:
    """As a child hands them to the parent: key, scheduled and started in epoch seconds."""
    return [[key, scheduled.timestamp(), started] for key, scheduled, started in seen]
