"""Loads a cache-config: the XML file that says all that a node is built from.

The prefix decides, not the namespace URI: what is written `scheduler:…` is ours, and what is neither
that nor one of cache-config's own elements that we read is skipped and noted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gridsched.config import xml_reader
from gridsched.config.cache_elements import MAPPINGS, SCHEMES, cache_settings
from gridsched.config.calendar_elements import CALENDARS
from gridsched.config.http_elements import SERVICES
from gridsched.config.job_elements import JOBS, PlacedJob
from gridsched.config.jobclasses import NO_JOBCLASSES, JobClasses
from gridsched.config.schema import Branch, Fields, Note, Reading
from gridsched.config.service_elements import SERVICE_CONFIG
from gridsched.config.settings import Settings
from gridsched.errors import ConfigurationError
from gridsched.model.http import HttpTask, ServiceOperation
from gridsched.policy.allow_list import allowed
from gridsched.policy.allowed_hosts import allowed_hosts
from gridsched.policy.allowed_requests import check_request
from gridsched.policy.catalogue import as_request
from gridsched.policy.event_checks import check_subscribers

NAMESPACE: Final = "urn:gridsched:scheduler"
"""The URI that our own files declare for the prefix; under it any other prefix is ours too."""


Amend = Callable[[Settings], Settings]


@dataclass(frozen=True)
class Loaded:
    """A file's settings, and what was noted on the way.

    ignored  elements and attributes that were skipped
    aliases  elements written in one of the seed's spellings
    mapped   class names, each with the Python target that the table has for it
    """

    settings: Settings
    source: str
    ignored: tuple[Note, ...] = ()
    aliases: tuple[Note, ...] = ()
    mapped: tuple[Note, ...] = ()


def load(
    path: str | Path, jobclasses: JobClasses = NO_JOBCLASSES, amend: Amend = lambda given: given
) -> Loaded:
    """The settings in a file; ConfigurationError says file, line and element if anything is wrong.

    `jobclasses` maps class names to targets. `amend` changes the file's settings by what is said
    elsewhere, before it is checked what startup jobs may run.
    A simple or once trigger that names no instant to begin at has WHEN_SUBMITTED.
    """
    return loads(xml_reader.read_file(path), str(path), jobclasses, amend)


def loads(
    text: bytes,
    source: str = "<text>",
    jobclasses: JobClasses = NO_JOBCLASSES,
    amend: Amend = lambda given: given,
) -> Loaded:
    """`load` of a file's bytes; errors name `source`."""
    root = xml_reader.parse(text, source, {NAMESPACE: "scheduler"})
    if root.name != ROOT.name:
        raise ConfigurationError(
            f"the root element is {root.name}; it must be {ROOT.name}",
            source=source,
            line=root.line,
        )
    reading = Reading(source, jobclasses)
    settings, jobs = reading.branch(root, ROOT)
    settings = amend(settings)
    _check_allowed(jobs, settings, reading)
    return Loaded(
        settings, source, tuple(reading.ignored), tuple(reading.aliases), tuple(reading.mapped)
    )


def _settings(fields: Fields, reading: Reading) -> tuple[Settings, tuple[PlacedJob, ...]]:
    values = fields.values
    service: dict[str, Any] = values.get("service", {})
    jobs: tuple[PlacedJob, ...] = values.get("jobs", ())
    caches = cache_settings(values.get("mappings", ()), values.get("schemes", {}), reading)
    settings = Settings(
        **service,
        services=values.get("services", ()),
        caches=caches,
        calendars=values.get("calendars", ()),
        jobs=tuple(job.startup for job in jobs),
    )
    return settings, jobs


def _check_allowed(jobs: tuple[PlacedJob, ...], settings: Settings, reading: Reading) -> None:
    hosts = allowed_hosts(settings.allowed_hosts)
    services = {service.name: service for service in settings.services}

    def check(request: HttpTask) -> None:
        check_request(request, hosts, settings.allowed_secrets)

    for startup, element in jobs:
        job = startup.job
        with reading.at(element):
            check_subscribers(job, mails=settings.smtp is not None, check=check)
        if isinstance(job.task, HttpTask | ServiceOperation):
            with reading.at(element):
                check(as_request(job.task, services))
        elif not allowed(job.target, settings.allowed_jobs):
            module = job.target.partition(":")[0]
            raise reading.error(
                element,
                f"job {job.key}: its target {job.target} matches no scheduler:allowedjobs; "
                f"add <scheduler:allowedjobs>{module}:*</scheduler:allowedjobs> to "
                f"scheduler:schedulerservice, or give --allow '{module}:*' (GRIDSCHED_ALLOW)",
            )


ROOT: Final = Branch(
    "cache-config",
    "",
    _settings,
    (SERVICE_CONFIG, SERVICES, CALENDARS, JOBS, MAPPINGS, SCHEMES),
    "The root element.",
)
