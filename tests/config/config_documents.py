"""Documents for the tests: what stands where, on known lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridsched.config import cache_config
from gridsched.config.settings import Settings
from gridsched.errors import ConfigurationError
from gridsched.model.job import Job
from gridsched.model.trigger import Trigger

REPOSITORY = Path(__file__).parents[2]

HEAD = (
    '<cache-config xmlns="urn:gridsched:cache-config" xmlns:scheduler="urn:gridsched:scheduler">\n'
)
"""Line 1, so that what follows begins in line 2."""

ALLOWED = (
    "<scheduler:service-config><scheduler:schedulerservice><scheduler:allowedjobs>shop.tasks:*"
    "</scheduler:allowedjobs></scheduler:schedulerservice></scheduler:service-config>"
)
NAMED = "<scheduler:jobname>restock</scheduler:jobname>"
TARGET = "<scheduler:jobclass>shop.tasks:restock</scheduler:jobclass>"
DURABLE = "<scheduler:durable>true</scheduler:durable>"
ONCE = "<scheduler:oncetrigger/>"


def document(inner: str) -> str:
    return f"{HEAD}{inner}</cache-config>"


def of_service(inner: str) -> str:
    """`inner` begins in line 3."""
    return document(
        "<scheduler:service-config><scheduler:schedulerservice>\n"
        f"{inner}\n</scheduler:schedulerservice></scheduler:service-config>"
    )


def of_jobs(inner: str) -> str:
    """`inner` begins in line 3."""
    return document(f"{ALLOWED}<scheduler:jobs>\n{inner}\n</scheduler:jobs>")


def of_job(inner: str) -> str:
    """The job begins in line 3 and `inner` in line 4."""
    return of_jobs(f"<scheduler:job>{NAMED}{TARGET}{DURABLE}\n{inner}\n</scheduler:job>")


def of_trigger(inner: str) -> str:
    """The trigger begins in line 4 and `inner` in line 5."""
    return of_job(
        "<scheduler:triggers><scheduler:trigger><scheduler:triggername>{T 1}"
        f"</scheduler:triggername>\n{inner}\n</scheduler:trigger></scheduler:triggers>"
    )


def loaded(text: str) -> cache_config.Loaded:
    return cache_config.loads(text.encode(), source="shop.xml")


def settings(text: str) -> Settings:
    return loaded(text).settings


def the_job(inner: str) -> Job:
    return settings(of_job(inner)).jobs[0].job


def the_trigger(inner: str) -> Trigger:
    return settings(of_trigger(inner)).jobs[0].triggers[0]


def refused(text: str | bytes, line: int | None, *parts: str) -> None:
    """The document is refused at that line, with a message that has these parts."""
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(ConfigurationError) as caught:
        cache_config.loads(data, source="shop.xml")
    message = str(caught.value)
    assert message.startswith("shop.xml" if line is None else f"shop.xml:{line}:"), message
    assert caught.value.line == line
    for part in parts:
        assert part in message
