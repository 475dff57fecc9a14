"""The rule `events`: who is told of what runs returned, and who is not.

What should be known of a run is worked out from outside: the result that it wrote down, judged by the same
pure conditions, names each delivery as the cluster does. A run whose end was not recorded, because its
node died or it was cancelled, may have been told of or not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from gridsched.model.events import EventTrigger
from gridsched.model.firing import Firing
from gridsched.model.job import Job
from gridsched.policy.condition_judge import Unsuitable
from gridsched.policy.conditions import holds
from gridsched.policy.events import deliveries
from gridsched.simulation.facts import Facts, Violation, is_delivery
from gridsched.simulation.history import Run

Due = Literal["must", "may", "must not"]


class _Result(NamedTuple):
    """What a run returned, and whether it meets the condition of an event trigger. `recorded`: it is
    the run that its firing's record tells of."""

    job: Job
    run: Run
    firing: Firing
    trigger: EventTrigger
    recorded: bool

    @property
    def order(self) -> tuple[int, str]:
        """Runs of a job are ordered by their instants."""
        return self.firing.scheduled, self.firing.key


def told(facts: Facts) -> Iterator[Violation]:
    """Whatever must be known is told, in time, and nothing else is."""
    told_by = {f.job: f for f in facts.firings.values() if is_delivery(f.job)}
    allowed: set[str] = set()
    for results in _results(facts).values():
        for result in results:
            due = _due(result, results, facts)
            if due != "must not":
                allowed.update(_deliveries(result))
            if result.recorded:
                yield from _judge(result, due, told_by, facts)
    for job, firing in told_by.items():
        if job not in allowed:
            yield Violation("events", firing.key, "tells of what met no condition")


def _results(facts: Facts) -> dict[tuple[str, str], list[_Result]]:
    """Of every run that ended well, by job and event trigger; those that can be judged."""
    found: defaultdict[tuple[str, str], list[_Result]] = defaultdict(list)
    for run in facts.history.record.runs:
        job, firing = facts.jobs.get(run.job), facts.firings.get(run.firing)
        if job is None or firing is None or run.outcome != "ok":
            continue
        recorded = firing.state == "COMPLETE" and firing.attempt == run.attempt
        for trigger in job.events:
            if _holds(trigger, run) is not None:
                result = _Result(job, run, firing, trigger, recorded)
                found[job.key, trigger.name].append(result)
    return found


def _holds(trigger: EventTrigger, run: Run) -> bool | None:
    """Does its condition hold on what a run returned? None: that is nothing it can be judged on."""
    try:
        return holds(trigger.condition, run.value)
    except Unsuitable:
        return None


def _due(result: _Result, results: Sequence[_Result], facts: Facts) -> Due:
    if not _holds(result.trigger, result.run):
        return "must not"
    if not result.recorded:
        return "may"
    return "must" if result.trigger.when == "every" else _due_on_change(result, results, facts)


def _due_on_change(result: _Result, results: Sequence[_Result], facts: Facts) -> Due:
    """By the run before it, where it is certain which that was, and that it was judged by then."""
    skew = facts.history.bounds.skew
    known_by = (result.firing.finished_at or 0) + skew
    earlier = [other for other in results if other is not result and other.run.started <= known_by]
    if any(other.order >= result.order for other in earlier):
        return "may"
    if facts.about(result.firing.trigger, ["delete"]):
        return "may"  # what was remembered goes with the job
    if not earlier:
        return "must"
    last = max(earlier, key=lambda other: other.order)
    judged_by = (last.firing.finished_at or 0) + skew
    if not last.recorded or judged_by >= result.run.started:
        return "may"
    return "must not" if _holds(last.trigger, last.run) else "must"


def _deliveries(result: _Result) -> list[str]:
    """The keys of the jobs that tell each subscriber of it."""
    made = deliveries((result.trigger,), result.job, result.firing, result.run.value, 0)
    return [submission.job for submission in made]


def _judge(
    result: _Result, due: Due, told_by: Mapping[str, Firing], facts: Facts
) -> Iterator[Violation]:
    """The run's own record first, then each delivery."""
    firing, name = result.firing, result.trigger.name
    published = name in firing.events
    if (published and due == "must not") or (not published and due == "must"):
        problem = f"{name} is {'' if published else 'not '}published on {result.run.value}"
        yield Violation("events", firing.key, problem)
    elif published:
        for key in _deliveries(result):
            problem = _untold(told_by.get(key), result, facts)
            if problem:
                yield Violation("events", firing.key, f"{key}, which tells of {name}, {problem}")


def _untold(delivery: Firing | None, result: _Result, facts: Facts) -> str:
    """What is wrong with the delivery of an event; "" where nothing is."""
    ended = result.firing.finished_at or 0
    if delivery is None:
        return "is not there" if ended < facts.overdue else ""
    if delivery.state == "CANCELLED" and _is_cancelled(delivery, facts):
        return ""
    if delivery.state in ("CANCELLED", "SKIPPED", "LOST"):
        return f"is {delivery.state}"
    if delivery.state == "FAILED" and delivery.attempt < result.trigger.retry.attempts:
        return f"is given up after attempt {delivery.attempt}"
    tries = facts.runs(delivery.key)
    late = tries[0].started - ended if tries and ended >= facts.settled else 0
    if late > facts.history.bounds.lateness and not _had_to_wait(tries[0], ended, facts):
        return f"is {late} ms late"
    return ""


def _is_cancelled(delivery: Firing, facts: Facts) -> bool:
    """Has a user asked for that?"""
    return any(c.kind == "cancel" and c.answer != "rejected" for c in facts.commands[delivery.key])


def _had_to_wait(told: Run, since: int, facts: Facts) -> bool:
    """Were as many subscribers told meanwhile, on some host, as can be at once? Some never answer."""
    meanwhile = Counter(
        run.host
        for run in facts.history.record.runs
        if is_delivery(run.job)
        and run.started < told.started
        and (run.ended is None or run.ended > since)
    )
    return max(meanwhile.values(), default=0) >= facts.history.bounds.threads
