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
    """The settings of a node and its grid; `loaded` and `coordination` are what they come from."""

    settings: Settings
    grid: Addresses
    loaded: Loaded
    coordination: Coordination | None


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
    if config is None or isinstance(config, Settings):
        given = config or Settings()
        given = replace(given, allowed_jobs=(*given.allowed_jobs, *allow))
        loaded = Loaded(given, "settings")
    else:
        patterns = (*allow, *_typed("allowed_jobs", changes.get("allowed_jobs", ())))
        loaded = cache_config.load(config, _table(config, jobclasses), patterns)
    base = loaded.settings
    found = _coordination(config, coordination)
    if found is not None and found.enabled:
        if grid is None:
            grid = found.servers
            base = _coordinated(base, found)
        elif coordination is not None:
            raise ConfigurationError(
                f"{found.source} names the servers of the grid, and so does --grid (grid=): "
                "give one of the two"
            )
        else:
            _log.info("%s is set aside: another grid is named", found.source)
    return Resolved(_changed(base, changes), grid or EMBEDDED, loaded, found)


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


def _coordinated(settings: Settings, by: Coordination) -> Settings:
    _log.info("coordination by %s: the grid is at %s", by.source, ", ".join(by.servers))
    if by.session_timeout_ms is None:
        return settings
    return replace(settings, session_timeout_ms=by.session_timeout_ms)


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
