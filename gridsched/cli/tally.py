"""What a node did from its start to its end: counted as it happens, and summed up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, Final

from gridsched.model.firing import Firing
from gridsched.node.hooks import Hook

_MOST_JOBS: Final = 100
_OTHERS: Final = "(all other jobs)"


def lateness(firing: Firing) -> int:
    """How many ms after its instant a started firing started."""
    return (firing.started_at or 0) - (firing.fire_at or firing.scheduled)


class Tally(Hook):
    """Counts firings, and those of the first jobs that it meets by job: immediate work makes new ones
    without end. Of latenesses it keeps how often each occurred. So it stays small however long the
    node runs."""

    def __init__(self) -> None:
        self.activated = False
        self.failed = 0
        self.retried = 0
        self.misfired = 0
        self._lateness: Counter[int] = Counter()
        self._by_job: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def on_activated(self, node: str) -> None:
        self.activated = True

    def on_claimed(self, firing: Firing) -> None:
        self.misfired += firing.count if firing.state == "SKIPPED" else firing.count - 1

    def on_started(self, firing: Firing) -> None:
        late = lateness(firing)
        self._lateness[late] += 1
        job = firing.job
        if job not in self._by_job and len(self._by_job) >= _MOST_JOBS:
            job = _OTHERS
        self._by_job[job][late] += 1

    def on_finished(self, firing: Firing, value: Any) -> None:
        self.failed += firing.state == "FAILED"
        self.retried += firing.state == "ACQUIRED"

    def summary(self) -> Iterator[str]:
        """Lines for people."""
        together = self._lateness
        yield (
            f"fired {together.total()}, failed {self.failed}, retried {self.retried}, "
            f"misfired {self.misfired}"
        )
        if not together:
            return
        yield f"lateness {_lateness_in_words(together)}"
        width = max(map(len, self._by_job))
        for job in sorted(self._by_job, key=lambda job: (job == _OTHERS, job)):
            late = self._by_job[job]
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
