"""What a node is started from: its config, the files beside it, and what is said by keyword.

What is said by keyword comes over the coordination file, and that over the config.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import msgspec
from msgspec.structs import replace

from gridsched.client.grids import EMBEDDED, Addresses
from gridsched.config import cache_config
from gridsched.config import coordination as coordination_file
from gridsched.config import jobclasses as jobclasses_file
from gridsched.config.cache_config import Loaded
from gridsched.config.coordination import Coordination
from gridsched.config.jobclasses import NO_JOBCLASSES, JobClasses
from gridsched.config.settings import Settings
from gridsched.errors import ConfigurationError, InvalidPolicy
from gridsched.policy.dispatch_forms import parse_policy

_log = logging.getLogger("gridsched.node")


class Resolved(NamedTuple):
    """A node's settings, where they come from, and its grid."""

    loaded: Loaded
    grid: Addresses
    coordination: Coordination | None

    @property
    def settings(self) -> Settings:
        return self.loaded.settings


def resolve(
    config: str | Path | Settings | None,
    changes: dict[str, Any],
    *,
    grid: Addresses | None = None,
    coordination: str | Path | None = None,
    jobclasses: str | Path | None = None,
    allow: Sequence[str] = (),
) -> Resolved:
    """All of it as one; ConfigurationError for what is wrong.

    `changes` are settings by keyword, `allow` patterns of targets beside those of the config.
    Files that are not named are looked for beside the config. A grid that is named sets the
    coordination file aside, unless that is named too.
    """
    file = _coordination(config, coordination)
    by = _in_force(file, grid, named=coordination is not None)

    def amend(settings: Settings) -> Settings:
        if by is not None and by.session_timeout_ms is not None:
            settings = replace(settings, session_timeout_ms=by.session_timeout_ms)
        settings = replace(settings, allowed_jobs=(*settings.allowed_jobs, *allow))
        return _changed(settings, changes)

    if config is None or isinstance(config, Settings):
        if jobclasses is not None:
            raise ConfigurationError("jobclasses is for a config file, and none is given")
        loaded = Loaded(amend(config or Settings()), "settings")
    else:
        loaded = cache_config.load(config, _table(config, jobclasses), amend)
    return Resolved(loaded, grid or (EMBEDDED if by is None else by.servers), file)


def _table(config: str | Path, given: str | Path | None) -> JobClasses:
    """The table of job classes that is named, or stands beside the config."""
    if given is not None:
        return jobclasses_file.load(given)
    path = Path(config).parent / jobclasses_file.FILE_NAME
    return jobclasses_file.load(path) if path.exists() else NO_JOBCLASSES._replace(source=str(path))


def _coordination(
    config: str | Path | Settings | None, given: str | Path | None
) -> Coordination | None:
    """The coordination file that is named, or stands beside the config."""
    if given is not None:
        return coordination_file.load(given)
    if config is None or isinstance(config, Settings):
        return None
    path = Path(config).parent / coordination_file.FILE_NAME
    return coordination_file.load(path) if path.exists() else None


def _in_force(
    file: Coordination | None, grid: Addresses | None, *, named: bool
) -> Coordination | None:
    """The coordination file, where it is enabled and nothing is said over it."""
    if file is None or not file.enabled:
        if named and file is not None:
            _log.info("coordination is off by %s", file.source)
        return None
    if grid is None:
        _log.info("coordination by %s: the grid is at %s", file.source, ", ".join(file.servers))
        return file
    if named:
        raise ConfigurationError(
            f"{file.source} names the servers of the grid, and so does --grid (grid=): "
            "give one of the two"
        )
    _log.info("%s is set aside: another grid is named", file.source)
    return None


def _changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    """Settings with changes by keyword; ConfigurationError for what is wrong."""
    unknown = set(changes) - set(Settings.__struct_fields__)
    if unknown:
        raise ConfigurationError(
            f"no such setting: {', '.join(sorted(unknown))}; "
            f"there are {', '.join(Settings.__struct_fields__)}"
        )
    return replace(settings, **{name: _typed(name, value) for name, value in changes.items()})


def _typed(name: str, value: Any) -> Any:
    """The value of a setting; ConfigurationError where it is of another type."""
    if name.startswith("allowed_") and isinstance(value, str):
        return (value,)
    try:
        if name == "dispatcher_policy" and isinstance(value, str):
            return parse_policy(value)
        return msgspec.convert(value, get_type_hints(Settings)[name], from_attributes=True)
    except (msgspec.ValidationError, InvalidPolicy) as error:
        raise ConfigurationError(f"{name} is {value!r}: {error}") from error
