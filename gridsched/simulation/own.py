"""A scenario of a user's own: what a config's schedules do, over a long time and with faults.

The user's jobs are not run: in their place stands one that takes as long as the user says. A
simulation of months looks at its triggers less often than a real node does, by `stretched`.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from gridsched.config.settings import Settings, StartupJob
from gridsched.simulation.jobs import TARGET
from gridsched.simulation.scenario import SIMULATED

_LONG: Final = 2 * 86_400.0
"""Seconds from which on a simulation is a long one."""

_POLL: Final = 60_000


def simulated(settings: Settings, run_seconds: float) -> Settings:
    """These settings with their startup jobs, each of which runs for so many seconds."""
    return replace(
        settings,
        allowed_jobs=SIMULATED.allowed_jobs,
        single_server_mode=True,
        server_count=1,
        jobs=tuple(_simulated(job, run_seconds) for job in settings.jobs),
        caches=SIMULATED.caches,
    )


def _simulated(startup: StartupJob, run_seconds: float) -> StartupJob:
    job = replace(
        startup.job,
        target=TARGET,
        task=None,
        events=(),
        executor="thread",
        data={"seconds": run_seconds},
    )
    triggers = tuple(replace(trigger, data={}) for trigger in startup.triggers)
    return StartupJob(job, triggers)


def stretched(settings: Settings, seconds: float) -> Settings:
    """For a long simulation: polls and beats a minute and more apart, or it would take as long as
    millions of them do. A misfire threshold below that would be met by every instant."""
    if seconds < _LONG:
        return settings
    return replace(
        settings,
        poll_interval_ms=_POLL,
        look_ahead_ms=2 * _POLL + _POLL // 2,
        session_timeout_ms=5 * _POLL,
        misfire_threshold_ms=max(settings.misfire_threshold_ms, 2 * _POLL),
    )
