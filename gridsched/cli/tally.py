"""What a node did from its start to its end: counted as it happens, and summed up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from gridsched.model.firing import Firing
from gridsched.node.hooks import Hook


def lateness(firing: Firing) -> int:
    """How many ms after its instant a started firing started."""
    return (firing.started_at or 0) - (firing.fire_at or firing.scheduled)


class Tally(Hook):
    """Counts firings by job. Of latenesses it keeps how often each occurred, which stays small
    however long the node runs."""

    def __init__(self) -> None:
        self.activated = False
        self.failed = 0
        self.retried = 0
        self.misfired = 0
        self._lateness: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def on_activated(self, node: str) -> None:
        self.activated = True

    def on_claimed(self, firing: Firing) -> None:
        self.misfired += firing.count if firing.state == "SKIPPED" else firing.count - 1

    def on_started(self, firing: Firing) -> None:
        self._lateness[firing.job][lateness(firing)] += 1

    def on_finished(self, firing: Firing, value: Any) -> None:
        self.failed += firing.state == "FAILED"
        self.retried += firing.state == "ACQUIRED"

    def summary(self) -> Iterator[str]:
        """Lines for people."""
        together: Counter[int] = sum(self._lateness.values(), Counter())
        yield (
            f"fired {together.total()}, failed {self.failed}, retried {self.retried}, "
            f"misfired {self.misfired}"
        )
        if not together:
            return
        yield f"lateness {_lateness_in_words(together)}"
        width = max(map(len, self._lateness))
        for job, late in sorted(self._lateness.items()):
            yield f"  {job:<{width}}  fired {late.total():>6}, {_lateness_in_words(late)}"


def percentile(counted: Counter[int], share: float) -> int:
    """The least value that this share of all does not exceed."""
    wanted, seen = share * counted.total(), 0
    for value, count in sorted(counted.items()):
        seen += count
        if seen >= wanted:
            return value
    return 0


def _lateness_in_words(late: Counter[int]) -> str:
    p50, p99 = percentile(late, 0.5), percentile(late, 0.99)
    return f"p50 {p50} ms, p99 {p99} ms, max {max(late)} ms"
