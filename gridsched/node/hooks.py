"""Hooks: what an application may hang into a node's life. None of them can hurt the node.

One small class of no-op methods; a hook overrides those it wants. Methods are called on the event
loop and should return soon. One that raises is logged and counted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from gridsched.model.firing import Firing
from gridsched.model.trigger import Trigger

_log = logging.getLogger("gridsched.hooks")


class Hook:
    """Listener of a node, its scheduler, jobs and triggers (Quartz's listeners, Coherence's
    lifecycle interceptor)."""

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

    def on_claimed(self, firing: Firing) -> None:
        """This node claimed an instant, or put a range of them into one record."""

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
        self._hooks.append(hook)

    def call(self, method: Callable[..., None], *arguments: Any) -> None:
        """Call `method` (a method of `Hook`) of every hook."""
        for hook in self._hooks:
            try:
                getattr(hook, method.__name__)(*arguments)
            except Exception:
                self.failures += 1
                _log.exception("hook %s.%s failed", type(hook).__name__, method.__name__)

    @property
    def any(self) -> bool:
        """Is there a hook at all? The hot path asks before it prepares arguments."""
        return bool(self._hooks)
