"""The checker: what must hold of every history, whatever went wrong in it.

Pure: it sees what users asked and were answered, what the jobs wrote down outside the grid, and the
stores at the end. Rules, as violations name them:

    accounted   every instant of an accepted trigger has one record, which the policy's pure answer
                for its time agrees with, every record that says it ran has a run, and what runs
                leave in their job's data is there
    twice       no second run, but by a retry, or by a recovery that was requested
    overlap     runs of a job that disallows concurrent execution, or whose overlap policy allows no
                two at once, do not overlap
    started     nothing starts after an acknowledged pause or delete, and of a schedule that was replaced
                nothing that was to come by then
    late        once the faults are over, runs start in time
    stuck       nothing stays due, unfinished, unanswered or locked without a live owner, and what was
                discarded goes
    events      subscribers are told of each run whose result meets a condition, and of no other
    defect      no step of a node raised what it should not
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from gridsched.model.firing import FINAL, STARTABLE, Firing
from gridsched.model.job import Job
from gridsched.model.keys import job_of, parse_key
from gridsched.policy.submissions import MANUAL_GROUP
from gridsched.simulation.accounted import accounted
from gridsched.simulation.facts import SCHEDULING, Facts, Violation, is_delivery, may_follow_on
from gridsched.simulation.history import Command, CommandKind, History, Run
from gridsched.simulation.replaced import drops, is_known, leaves_out
from gridsched.simulation.told import told

_DISCARDING: Final = 120_000
"""Within so long (ms) a firing that is discarded has gone."""

_UNDO: Final[dict[CommandKind, tuple[CommandKind, ...]]] = {
    "pause": ("resume", "resume_group", *SCHEDULING),
    "pause_group": ("resume", "resume_group", "schedule"),
    "delete": SCHEDULING,
    "replace": SCHEDULING,
}
"""The commands after which nothing starts, each with those that may undo it: what is scheduled anew in
a paused group starts paused."""

_ASKED: Final = frozenset({*_UNDO, *(kind for kinds in _UNDO.values() for kind in kinds)})


def check(history: History) -> tuple[Violation, ...]:
    """Every violation of a history; () where all is well."""
    facts = Facts(history)
    return tuple(violation for rule in _RULES for violation in rule(facts))


# What the records say


def _records(facts: Facts) -> Iterator[Violation]:
    """A record that says it ran has its run; one that says it did not has none."""
    for key, firing in facts.firings.items():
        runs = [run for run in facts.runs(key) if run.attempt == firing.attempt]
        if firing.state == "COMPLETE" and not any(run.outcome == "ok" for run in runs):
            yield Violation("accounted", key, "is COMPLETE, but no run of it ended well")
        if firing.state == "FAILED" and not _has_failed(runs, firing, facts):
            yield Violation("accounted", key, "is FAILED, but no run of it failed")
        if firing.state == "LOST" and not facts.troubled(
            firing.member, firing.started_at or 0, facts.history.ended_at
        ):
            yield Violation("accounted", key, "is LOST, but its host was well")
        if firing.state == "SKIPPED" and facts.runs(key):
            yield Violation("accounted", key, "is SKIPPED, but it ran")
        if firing.state == "CANCELLED" and not _may_be_cancelled(firing, facts):
            yield Violation("accounted", key, "is CANCELLED, but nobody asked for that")
    for key in facts.by_firing:
        if key not in facts.firings:
            yield Violation("accounted", key, "ran, and has no record")


def _has_failed(runs: Sequence[Run], firing: Firing, facts: Facts) -> bool:
    return any(run.outcome != "ok" for run in runs) or bool(
        facts.troubled(firing.member, firing.started_at or 0, firing.finished_at or 0)
    )


def _may_be_cancelled(firing: Firing, facts: Facts) -> bool:
    """Has a user cancelled it, or taken its trigger away; or may another run of its job have come in its
    place?"""
    cancels = [c for c in facts.commands.get(firing.key, []) if c.kind == "cancel"]
    asked = [*cancels, *facts.about(firing.trigger, ("delete", "replace"))]
    job = facts.jobs.get(firing.job)
    return (job is not None and job.overlap != "allow_all") or any(
        c.kind != "replace" or not is_known(c) or leaves_out(c, firing.key)
        for c in asked
        if c.answer != "rejected"
    )


def _left_data(facts: Facts) -> Iterator[Violation]:
    """What runs leave in their job's data is there, once for each that ended well."""
    history = facts.history
    for key, job in history.jobs.items():
        if job.persist_data and job.disallow_concurrent and "count" in job.data:
            ended = sum(f.job == key and f.state == "COMPLETE" for f in facts.firings.values())
            if job.data["count"] != ended:
                problem = f"{ended} runs ended well, and its data counts {job.data['count']}"
                yield Violation("accounted", key, problem)


# Nothing twice


def _twice(facts: Facts) -> Iterator[Violation]:
    for key, runs in facts.by_firing.items():
        job = facts.jobs.get(job_of(key))
        for first, second in pairwise(runs):
            if job is not None and not _may_follow(first, second, job, facts):
                yield Violation(
                    "twice",
                    key,
                    f"attempt {first.attempt} on {first.host} ({first.outcome or 'no end'}), then "
                    f"attempt {second.attempt} on {second.host}",
                )


def _may_follow(first: Run, second: Run, job: Job, facts: Facts) -> bool:
    if second.attempt < first.attempt:  # a host that slept between its fence and the first step
        return bool(facts.troubled(second.host, second.started, second.started))
    if first.outcome == "yielded":
        return True
    if second.attempt == first.attempt:
        return False
    if job.retry is not None and (first.outcome in ("failed", "cancelled") or _ran_out(first, job)):
        return True
    gone = facts.troubled(first.host, first.started, second.started)
    return job.requests_recovery and bool(gone)


def _ran_out(run: Run, job: Job) -> bool:
    """Had it run for longer than its timeout when it ended? A host that slept ends it both ways."""
    if job.timeout is None or run.ended is None:
        return False
    return run.ended - run.started >= job.timeout * 1000


def _overlap(facts: Facts) -> Iterator[Violation]:
    by_job: defaultdict[str, list[Run]] = defaultdict(list)
    for run in facts.history.record.runs:
        by_job[run.job].append(run)
    for key, runs in by_job.items():
        if not _exclusive(key, facts):
            continue
        for first, second in pairwise(runs):
            if second.started < _over(first, facts):
                yield Violation(
                    "overlap", key, f"{second.firing} started while {first.firing} still ran"
                )


def _over(run: Run, facts: Facts) -> int:
    """When a run was over as far as the cluster can know: a host that is out of reach is gone."""
    ended = facts.history.ended_at if run.ended is None else run.ended
    gone = [max(run.started, t.since) for t in facts.troubled(run.host, run.started, ended)]
    return min([ended, *gone])


# Nothing after it was stopped


def _started(facts: Facts) -> Iterator[Violation]:
    for key, runs in facts.by_firing.items():
        trigger = key.partition("@")[0]
        for run in runs:
            stop = _stopped(trigger, run, facts)
            if stop is not None and not facts.troubled(run.host, stop.answered, run.started):
                yield Violation(
                    "started",
                    key,
                    f"attempt {run.attempt} started at {run.started}, after {stop.kind} of "
                    f"{stop.key} was acknowledged at {stop.answered}",
                )


def _stopped(trigger: str, run: Run, facts: Facts) -> Command | None:
    """The command that was in force when a run started, and forbade it, if there was one for certain."""
    entry = facts.history.bounds.entry
    asked = [c for c in facts.about(trigger, _ASKED) if c.answer != "rejected"]
    for stop in asked:
        if stop.kind in _UNDO and stop.answer == "accepted" and _forbids(stop, run, facts):
            undone = any(
                c is not stop and c.kind in _UNDO[stop.kind] and may_follow_on(c, stop, run.started)
                for c in asked
            )
            begun = _begun_before(stop, run, facts)
            if stop.answered + entry < run.started and not undone and not begun:
                return stop
    return None


def _forbids(stop: Command, run: Run, facts: Facts) -> bool:
    if stop.kind != "replace":
        return not _fired_since(run, stop)
    is_first = run.attempt == 1 and run is facts.runs(run.firing)[0]  # what has run before goes on
    return is_first and drops(stop, run.firing, facts.history.bounds)


def _begun_before(stop: Command, run: Run, facts: Facts) -> bool:
    """Was its start recorded before? The node that hears of it late, as grids are slow, enters the
    function late. Of a run that was followed by another attempt, or that yielded, no start is on record
    any more: it may have been by as much before as a call takes."""
    firing = facts.firings.get(run.firing)
    if firing is not None and (firing.attempt > run.attempt or run.outcome == "yielded"):
        return run.started - facts.history.bounds.call <= stop.answered
    if firing is None or firing.started_at is None or firing.attempt != run.attempt:
        return False
    return firing.started_at - facts.history.bounds.skew <= stop.answered


def _fired_since(run: Run, stop: Command) -> bool:
    """Was it fired by hand since? A pause is of the triggers that a job has, as in Quartz."""
    key = parse_key(run.firing)
    by_hand = key.trigger_group == MANUAL_GROUP and (key.scheduled or 0) >= stop.sent
    return by_hand and stop.kind != "delete"


# In time, and at rest


def _late(facts: Facts) -> Iterator[Violation]:
    history = facts.history
    for key, runs in facts.by_firing.items():
        firing = facts.firings.get(key)
        if firing is None or firing.scheduled < facts.settled or firing.fire_at is not None:
            continue
        if is_delivery(firing.job):  # it is for the end of the run that caused it: see `told`
            continue
        late = runs[0].started - firing.scheduled
        if late > history.bounds.lateness and not _exclusive(firing.job, facts):
            yield Violation("late", key, f"started {late} ms late")


def _stuck(facts: Facts) -> Iterator[Violation]:
    history = facts.history
    overdue = facts.overdue
    for key, firing in facts.firings.items():
        problem = _held_up(firing, facts, overdue)
        if problem:
            yield Violation("stuck", key, problem)
    for job, holder in history.locks.items() if history.ended_at >= facts.settled else ():
        firing_of = facts.firings.get(holder)
        if firing_of is None or _has_left(firing_of, facts):
            yield Violation("stuck", job, f"is locked by {holder}, which is over")
    for key, made in history.unanswered.items():
        if made < overdue:
            yield Violation("stuck", key, "was submitted, and no node has answered it")
    for key, trigger in history.triggers.items():
        exclusive = _exclusive(trigger.job, facts)
        if trigger.state == "ERROR":
            yield Violation("stuck", key, f"is in ERROR: {trigger.error}")
        elif trigger.state == "NORMAL" and (trigger.due or 0) < overdue and not exclusive:
            yield Violation("stuck", key, f"was due at {trigger.due}, and nobody claimed it")


def _discarded(facts: Facts) -> Iterator[Violation]:
    there = {firing.key for firing in facts.history.firings}
    until = facts.overdue - _DISCARDING
    for command in facts.history.record.commands:
        given = command.kind == "discard" and command.answer == "accepted"
        if given and command.answered < until and command.key in there:
            yield Violation("stuck", command.key, "was discarded, and is still there")


def _has_left(firing: Firing, facts: Facts) -> bool:
    """Is a firing to hold its job's lock no more? One that was cancelled while it ran does until its host
    has ended the run."""
    if firing.state == "CANCELLED" and firing.started_at is not None:
        return (firing.finished_at or 0) < facts.overdue
    return firing.state in FINAL | {"PAUSED"}


def _held_up(firing: Firing, facts: Facts, overdue: int) -> str:
    """Why an unfinished firing should not be so; "" where it may be."""
    if firing.state in STARTABLE | {"PAUSED"} and _is_left_over(firing, facts, overdue):
        return f"is still {firing.state}, though its trigger was replaced"
    if firing.state in STARTABLE:
        if (firing.fire_at or firing.scheduled) < overdue and not _has_to_wait(firing.job, facts):
            return f"is still {firing.state}"
    elif firing.state == "EXECUTING":
        running = [run for run in facts.runs(firing.key) if run.ended is None]
        if all(facts.died(run) for run in running) and (firing.started_at or 0) < overdue:
            return f"is still EXECUTING on {firing.member}, where nothing runs"
    elif firing.state == "PAUSED":
        trigger = facts.history.triggers.get(firing.trigger)
        if trigger is None or trigger.state != "PAUSED":
            return "is PAUSED, but its trigger is not"
    return ""


def _is_left_over(firing: Firing, facts: Facts, overdue: int) -> bool:
    """Should it have been cancelled, as its trigger has another schedule by now?"""
    given = [c for c in facts.about(firing.trigger, SCHEDULING) if c.answer != "rejected"]
    return not firing.has_run and any(
        c.kind == "replace"
        and c.answer == "accepted"
        and c.answered < overdue
        and drops(c, firing.key, facts.history.bounds)
        and not any(may_follow_on(o, c, facts.history.ended_at) for o in given if o is not c)
        for c in given
    )


def _has_to_wait(job: str, facts: Facts) -> bool:
    """Is the job busy with another of its firings, or was it until just now?"""
    history = facts.history
    just_now = history.ended_at - history.bounds.lateness
    return _exclusive(job, facts) and (
        job in history.locks
        or any(r.job == job and (r.ended or 0) >= just_now for r in history.record.runs)
    )


def _exclusive(job: str, facts: Facts) -> bool:
    """Does at most one run of it go on at a time?"""
    found = facts.jobs.get(job)
    return found is not None and (found.disallow_concurrent or found.overlap != "allow_all")


def _defects(facts: Facts) -> Iterable[Violation]:
    return [Violation("defect", "", failure) for failure in facts.history.failures]


_RULES: Final = (
    accounted,
    _records,
    _left_data,
    _twice,
    _overlap,
    _started,
    _late,
    _stuck,
    _discarded,
    told,
    _defects,
)
