"""Hooks: what an application may hang into a node's life. None of them can hurt the node.

One small class of no-op methods; a hook overrides those it wants. Methods are called on the event
loop and should return soon. One that raises is logged and counted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from gridsched.jobs.plain import plain
from gridsched.model.firing import Firing
from gridsched.model.groups import GroupKind
from gridsched.model.job import Job
from gridsched.model.trigger import Trigger

_log = logging.getLogger("gridsched.hooks")

_RAISED: Final = (Exception, SystemExit)
"""What a hook may raise. One that exits would end the node."""


class Hook:
    """Listener of a node, its scheduler, jobs and triggers (Quartz's listeners, Coherence's
    lifecycle interceptor)."""

    def __str__(self) -> str:
        return type(self).__name__

    def on_activated(self, node: str) -> None:
        """The node is active: it has joined and will fire."""

    def on_disposing(self, node: str) -> None:
        """The node is about to stop."""

    def on_stopped(self, node: str) -> None:
        """The node has stopped."""

    def on_member_gone(self, member: str) -> None:
        """Another node's beat stood still for the session timeout."""

    def on_scheduled(self, trigger: Trigger) -> None:
        """This node accepted a trigger."""

    def on_job_added(self, job: Job) -> None:
        """This node stored a job."""

    def on_job_deleted(self, key: str) -> None:
        """This node removed a job: by request, or with its last trigger."""

    def on_unscheduled(self, trigger_key: str) -> None:
        """This node removed a trigger by request."""

    def on_paused(self, key: str) -> None:
        """This node paused a trigger, or those of a job."""

    def on_resumed(self, key: str) -> None:
        """This node resumed a trigger, or those of a job."""

    def on_group_paused(self, pattern: str, of: GroupKind) -> None:
        """This node paused the groups of triggers or jobs that a glob matches."""

    def on_group_resumed(self, pattern: str, of: GroupKind) -> None:
        """This node resumed the groups of triggers or jobs that a glob matches."""

    def on_misfired(self, trigger: Trigger) -> None:
        """This node applied a trigger's misfire instruction or catch-up window."""

    def on_finalized(self, trigger: Trigger) -> None:
        """This node claimed a trigger's last instant."""

    def on_claimed(self, firing: Firing) -> None:
        """This node claimed an instant, or put a range of them into one record."""

    def on_starting(self, firing: Firing) -> str:
        """A run is about to start on this node. A text is a veto, and the reason for it: the firing
        ends CANCELLED."""
        return ""

    def on_vetoed(self, firing: Firing) -> None:
        """A hook vetoed a run on this node."""

    def on_started(self, firing: Firing) -> None:
        """A run starts on this node."""

    def on_finished(self, firing: Firing, value: Any) -> None:
        """A run on this node ended: `firing` is its record now, `value` what it returned."""


class Hooks:
    """Calls hooks in turn, each isolated from the node and from the others."""

    def __init__(self, hooks: Sequence[Hook] = ()) -> None:
        self._hooks = list(hooks)
        self.failures = 0

    def add(self, hook: Hook) -> None:
        self._hooks = [*self._hooks, hook]

    def remove(self, hook: Hook) -> None:
        self._hooks = [there for there in self._hooks if there is not hook]

    def veto(self, firing: Firing) -> str:
        """Why a firing must not start; "" where it may. One that fails vetoes nothing."""
        for hook in self._hooks:
            try:
                if reason := hook.on_starting(firing):
                    return plain(reason)
            except _RAISED:
                self._failed(hook, "on_starting")
        return ""

    def call(self, method: Callable[..., None], *arguments: Any) -> None:
        """Call `method` (a method of `Hook`) of every hook."""
        for hook in self._hooks:
            try:
                getattr(hook, method.__name__)(*arguments)
            except _RAISED:
                self._failed(hook, method.__name__)

    def _failed(self, hook: Hook, method: str) -> None:
        self.failures += 1
        _log.exception("hook %s.%s failed", hook, method)

    @property
    def any(self) -> bool:
        """Is there a hook at all? The hot path asks before it prepares arguments."""
        return bool(self._hooks)
