"""Listeners by name, with matchers: Quartz's TriggerListener, JobListener and SchedulerListener.

A listener hears what happens on its node: each is a hook, isolated from the node and from the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gridsched.model.firing import Firing
from gridsched.model.groups import GroupKind
from gridsched.model.job import Job
from gridsched.model.keys import parse_key
from gridsched.model.trigger import Trigger
from gridsched.node.hooks import Hook, Hooks
from gridsched.policy.matchers import Matcher


class TriggerListener:
    """Told of the fires of triggers. Override what you want; methods should return soon."""

    def veto_job_execution(self, firing: Firing) -> bool:
        """Asked before each run on this node: True, and it does not run. It ends CANCELLED,
        "vetoed by" this listener. Another node may have been asked before."""
        return False

    def trigger_fired(self, firing: Firing) -> None:
        """A run starts, or was vetoed."""

    def trigger_misfired(self, trigger: Trigger) -> None:
        """Instants were missed, and its misfire instruction or catch-up window was applied."""

    def trigger_complete(self, firing: Firing) -> None:
        """A run ended; `firing` says how."""


class JobListener:
    """Told of the runs of jobs."""

    def job_to_be_executed(self, firing: Firing) -> None:
        """A run starts."""

    def job_execution_vetoed(self, firing: Firing) -> None:
        """A trigger listener vetoed a run."""

    def job_was_executed(self, firing: Firing, value: Any) -> None:
        """A run ended; `firing` says how, `value` is what it returned."""


class SchedulerListener:
    """Told of what this node did to the schedule. Each change is made by one node, as a rule; one
    that takes over from a node that died may make it again."""

    def scheduler_started(self, node: str) -> None: ...

    def scheduler_shutting_down(self, node: str) -> None: ...

    def scheduler_shutdown(self, node: str) -> None: ...

    def job_added(self, job: Job) -> None: ...

    def job_deleted(self, key: str) -> None: ...

    def job_scheduled(self, trigger: Trigger) -> None: ...

    def job_unscheduled(self, trigger_key: str) -> None: ...

    def trigger_finalized(self, trigger: Trigger) -> None:
        """Its last instant is claimed."""

    def trigger_paused(self, trigger_key: str) -> None: ...

    def trigger_resumed(self, trigger_key: str) -> None: ...

    def triggers_paused(self, group: str) -> None:
        """`group` is the pattern, as it was given."""

    def triggers_resumed(self, group: str) -> None: ...

    def job_paused(self, key: str) -> None: ...

    def job_resumed(self, key: str) -> None: ...

    def jobs_paused(self, group: str) -> None: ...

    def jobs_resumed(self, group: str) -> None: ...


Listener = TriggerListener | JobListener | SchedulerListener


class Listeners:
    """The listeners of one node, by name."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._named: dict[str, list[Hook]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._named)

    def add(self, name: str, listener: Listener, *matchers: Matcher) -> None:
        """Tell a listener of what one of the matchers means (none: of everything). One of that name
        is replaced. TypeError where it is no listener, or a scheduler listener has matchers."""
        made: list[Hook] = []
        if isinstance(listener, TriggerListener):
            made.append(_OfTriggers(name, listener, matchers))
        if isinstance(listener, JobListener):
            made.append(_OfJobs(name, listener, matchers))
        if isinstance(listener, SchedulerListener):
            if matchers and not made:
                raise TypeError(f"listener {name!r}: a SchedulerListener has no matchers")
            made.append(_OfScheduler(name, listener))
        if not made:
            raise TypeError(
                f"listener {name!r} is {type(listener).__name__}; it must be a TriggerListener, a "
                "JobListener or a SchedulerListener"
            )
        self.remove(name)
        self._named[name] = made
        for hook in made:
            self._hooks.add(hook)

    def remove(self, name: str) -> bool:
        """Tell that listener of nothing more; False where there is none of that name."""
        found = self._named.pop(name, None)
        for hook in found or ():
            self._hooks.remove(hook)
        return found is not None


class _Named(Hook):
    """A listener as a hook."""

    def __init__(self, name: str, matchers: Sequence[Matcher] = ()) -> None:
        self.name = name
        self._matchers = tuple(matchers)

    def __str__(self) -> str:
        return f"of listener {self.name}"

    def _means(self, group: str, name: str) -> bool:
        return not self._matchers or any(matcher(group, name) for matcher in self._matchers)


class _OfTriggers(_Named):
    def __init__(self, name: str, to: TriggerListener, matchers: Sequence[Matcher]) -> None:
        super().__init__(name, matchers)
        self._to = to

    def _is_meant(self, trigger_key: str) -> bool:
        key = parse_key(trigger_key)
        return self._means(key.trigger_group or "", key.trigger_name or "")

    def on_starting(self, firing: Firing) -> str:
        vetoed = self._is_meant(firing.trigger) and self._to.veto_job_execution(firing)
        return f"vetoed by {self.name}" if vetoed else ""

    def on_vetoed(self, firing: Firing) -> None:
        self.on_started(firing)

    def on_started(self, firing: Firing) -> None:
        if self._is_meant(firing.trigger):
            self._to.trigger_fired(firing)

    def on_misfired(self, trigger: Trigger) -> None:
        if self._is_meant(trigger.key):
            self._to.trigger_misfired(trigger)

    def on_finished(self, firing: Firing, value: Any) -> None:
        if self._is_meant(firing.trigger):
            self._to.trigger_complete(firing)


class _OfJobs(_Named):
    def __init__(self, name: str, to: JobListener, matchers: Sequence[Matcher]) -> None:
        super().__init__(name, matchers)
        self._to = to

    def _is_meant(self, firing: Firing) -> bool:
        key = parse_key(firing.job)
        return self._means(key.group, key.name)

    def on_vetoed(self, firing: Firing) -> None:
        if self._is_meant(firing):
            self._to.job_execution_vetoed(firing)

    def on_started(self, firing: Firing) -> None:
        if self._is_meant(firing):
            self._to.job_to_be_executed(firing)

    def on_finished(self, firing: Firing, value: Any) -> None:
        if self._is_meant(firing):
            self._to.job_was_executed(firing, value)


class _OfScheduler(_Named):
    def __init__(self, name: str, to: SchedulerListener) -> None:
        super().__init__(name)
        self._to = to

    def on_activated(self, node: str) -> None:
        self._to.scheduler_started(node)

    def on_disposing(self, node: str) -> None:
        self._to.scheduler_shutting_down(node)

    def on_stopped(self, node: str) -> None:
        self._to.scheduler_shutdown(node)

    def on_job_added(self, job: Job) -> None:
        self._to.job_added(job)

    def on_job_deleted(self, key: str) -> None:
        self._to.job_deleted(key)

    def on_scheduled(self, trigger: Trigger) -> None:
        self._to.job_scheduled(trigger)

    def on_unscheduled(self, trigger_key: str) -> None:
        self._to.job_unscheduled(trigger_key)

    def on_finalized(self, trigger: Trigger) -> None:
        self._to.trigger_finalized(trigger)

    def on_paused(self, key: str) -> None:
        (self._to.trigger_paused if ":" in key else self._to.job_paused)(key)

    def on_resumed(self, key: str) -> None:
        (self._to.trigger_resumed if ":" in key else self._to.job_resumed)(key)

    def on_group_paused(self, pattern: str, of: GroupKind) -> None:
        (self._to.triggers_paused if of == "triggers" else self._to.jobs_paused)(pattern)

    def on_group_resumed(self, pattern: str, of: GroupKind) -> None:
        (self._to.triggers_resumed if of == "triggers" else self._to.jobs_resumed)(pattern)
