"""The table that maps class names of somebody's files to Python targets.

# jobclasses.properties, beside the file whose jobclasses it maps
org.prabal.test.jobs.DummyJob = shop.tasks:dummy
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from gridsched.config.xml_reader import read_file
from gridsched.errors import ConfigurationError, InvalidJob
from gridsched.model.job import Job, check_job

FILE_NAME: Final = "jobclasses.properties"
"""Looked for beside a config."""

_COMMENTS: Final = ("#", "!")


class JobClasses(NamedTuple):
    """Python targets by class name. `source` is where a line may be added."""

    source: str
    targets: Mapping[str, str] = {}


NO_JOBCLASSES: Final = JobClasses(f"the table of job classes ({FILE_NAME})")


def load(path: str | Path) -> JobClasses:
    """The table in a file; ConfigurationError, with its line, where it is not one."""
    return loads(read_file(path), str(path))


def loads(data: bytes, source: str) -> JobClasses:
    """`load` of a file's bytes: lines `class = package.module:function`, blank ones, and comments
    that begin with # or !"""
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationError("is not text in UTF-8", source=source, line=line) from error
    targets: dict[str, str] = {}
    for place, text in enumerate(lines, start=1):
        written = text.strip()
        if not written or written.startswith(_COMMENTS):
            continue
        try:
            name, target = _entry(written)
            if targets.setdefault(name, target) != target:
                raise ValueError(f"{name} stands twice, for different targets")
        except (ValueError, InvalidJob) as error:
            raise ConfigurationError(str(error), source=source, line=place) from error
    return JobClasses(source, targets)


def _entry(written: str) -> tuple[str, str]:
    name, equals, target = (part.strip() for part in written.partition("="))
    if not (name and equals):
        raise ValueError(f"{written!r} is not written class = package.module:function")
    check_job(Job(target, name=name))
    return name, target
