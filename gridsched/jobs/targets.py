"""Job targets: from "package.module:function" to something that runs, by allow-list only."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from gridsched.errors import InvalidJob, TargetNotAllowed
from gridsched.jobs.context import JobContext
from gridsched.jobs.plain import words_of
from gridsched.policy.allow_list import allowed

CONTEXT = "context"
"""The parameter that is given the run's JobContext."""


class Target(NamedTuple):
    """A function that may be run as a job, and the parameters it names."""

    function: Callable[..., Any]
    is_coroutine: bool
    names: frozenset[str]
    takes_all: bool

    def arguments(self, context: JobContext) -> dict[str, Any]:
        """What to call the function with: it gets the entries of its data that it names, or all
        of them with **kwargs, and the context where it names that."""
        data: Mapping[str, Any] = context.data
        chosen = data if self.takes_all else {k: v for k, v in data.items() if k in self.names}
        if CONTEXT in self.names:
            return {**chosen, CONTEXT: context}
        return dict(chosen)


class Targets:
    """Resolves targets, once each, and only those that `patterns` allow."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(patterns)
        self._known: dict[str, Target] = {}

    def check_allowed(self, target: str) -> None:
        """TargetNotAllowed where no pattern of the allow-list matches."""
        if not allowed(target, self._patterns):
            listed = ", ".join(self._patterns) or "(empty)"
            raise TargetNotAllowed(
                f"job target {target!r} is not on this node's allow-list: {listed}; "
                "add it to allowedjobs (XML) or allowed_jobs"
            )

    def resolve(self, target: str) -> Target:
        """TargetNotAllowed, or InvalidJob where it cannot be imported or called."""
        known = self._known.get(target)
        if known is None:
            self.check_allowed(target)
            known = self._known[target] = _load(target)
        return known


def _load(target: str) -> Target:
    module_name, _, path = target.partition(":")
    try:  # an import runs the user's code, and so may a look at what a module has
        found: Any = importlib.import_module(module_name)
        for name in path.split("."):
            found = getattr(found, name, None)
    except BaseException as error:  # SystemExit too: it would end the node
        raise InvalidJob(
            f"job target {target!r}: module {module_name!r} cannot be imported: "
            f"{type(error).__name__}: {words_of(error)}"
        ) from error
    if found is None:
        raise InvalidJob(f"job target {target!r}: {module_name!r} has no {path!r}")
    if not callable(found):
        raise InvalidJob(f"job target {target!r} is {type(found).__name__}, not callable")
    return _describe(found)


def _describe(function: Callable[..., Any]) -> Target:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some built-ins have no signature: they get their data
        return Target(function, False, frozenset(), takes_all=True)
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return Target(
        function,
        inspect.iscoroutinefunction(function),
        frozenset(p.name for p in parameters if p.kind in named),
        any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters),
    )
