"""What a simulation came to, small enough to hand from process to process: many seeds at once."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process, resource_tracker
from typing import NamedTuple

from gridsched.simulation.facts import Violation, is_delivery
from gridsched.simulation.history import History
from gridsched.simulation.run import Report, simulate
from gridsched.simulation.scenario import Scenario


class Late(NamedTuple):
    """A first run: the instant it was for (epoch ms), and how late it started (ms)."""

    scheduled: int
    late: int


class Summary(NamedTuple):
    """One simulation in figures. `outcomes` counts the ledger's records by state, `instants` what
    they stand for."""

    scenario: Scenario
    trace: str
    outcomes: Mapping[str, int]
    instants: int
    runs: int
    troubles: int
    commands: int
    lateness: Sequence[Late]
    violations: tuple[Violation, ...]


def summarise(report: Report) -> Summary:
    """The figures of a report."""
    history = report.history
    return Summary(
        scenario=report.scenario,
        trace=report.trace,
        outcomes=Counter(firing.state for firing in history.firings),
        instants=sum(firing.count for firing in history.firings),
        runs=len(history.record.runs),
        troubles=len(history.record.troubles),
        commands=len(history.record.commands),
        lateness=_lateness(history),
        violations=report.violations,
    )


def quantile(lateness: Sequence[Late], share: float) -> int:
    """The lateness (ms) that a share of the runs does not exceed; 0 where there are none."""
    ordered = sorted(each.late for each in lateness)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


def simulate_all(scenarios: Iterable[Scenario]) -> Iterator[Summary]:
    """Simulate each in a process of its own pool, as many at once as there are cores; in order.

    Called on the main thread. Ctrl-C is for this process alone, and ends the others at once.
    """
    others = active_children()
    cores = os.cpu_count() or 1
    spawn = get_context("spawn")
    ahead: deque[Future[Summary]] = deque()
    with ProcessPoolExecutor(cores, spawn, initializer=_end_with_parent) as pool:
        try:
            for scenario in scenarios:
                with _uninterrupted():
                    ahead.append(pool.submit(_one, scenario))
                if len(ahead) > 4 * cores:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        except BaseException:
            for process in set(active_children()).difference(others):
                process.terminate()
            raise


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A process that is started here takes no SIGINT: a terminal sends it to all, and each would
    print where it was. One that comes to this process meanwhile waits until the end."""
    resource_tracker.ensure_running()  # else it starts with the first process, and ends what is blocked
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """A process whose parent was killed would wait for its next scenario for ever."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _one(scenario: Scenario) -> Summary:
    return summarise(simulate(scenario))


def _lateness(history: History) -> list[Late]:
    """Of first runs that were to start at their instant: what was resumed or retried was not, nor
    what tells of an event."""
    firings = {firing.key: firing for firing in history.firings if firing.fire_at is None}
    return sorted(
        Late(firings[run.firing].scheduled, run.started - firings[run.firing].scheduled)
        for run in history.record.runs
        if run.attempt == 1 and run.firing in firings and not is_delivery(run.job)
    )
