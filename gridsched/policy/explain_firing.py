"""The way of one firing in sentences, as its record tells it."""

from __future__ import annotations

from typing import Final

from gridsched.model.firing import FINAL, Firing
from gridsched.policy.explanation import (
    Moment,
    Scene,
    Sentences,
    Span,
    ran_then,
    say,
    why_held,
    why_paused,
)
from gridsched.policy.overlap import runs_alone
from gridsched.policy.transitions import is_unplaced

LATE_MS: Final = 1000
"""What is later than this asks for a reason."""

_VERDICTS: Final = {
    "ACQUIRED": "It has been claimed, and has not started.",
    "REJECTED": "It waits: there is no node for it.",
    "PAUSED": "It waits: its trigger was paused before it started.",
    "EXECUTING": "It is running.",
    "COMPLETE": "It ran, and ended well.",
    "FAILED": "It ran, and failed.",
    "CANCELLED": "It was cancelled.",
    "SKIPPED": "It did not run: it was skipped.",
    "LOST": "Its run is lost: its node died meanwhile.",
}


def explain_firing(scene: Scene, firing: Firing) -> Sentences:
    """What became of a firing, in the order in which it happened."""
    return [
        say(_VERDICTS[firing.state]),
        *_due(scene, firing),
        *_claimed(scene, firing),
        *_moved(firing),
        *_attempts(firing),
        *_started(scene, firing),
        *_now(scene, firing),
        *_kept(firing),
    ]


def _due(scene: Scene, firing: Firing) -> Sentences:
    schedule = () if scene.trigger is None else (": ", scene.trigger.schedule)
    found = [say("It was due" if firing.scheduled <= scene.now else "It is due", *schedule, ".")]
    found = [say(*found[0].parts, at=firing.scheduled)]
    if firing.until is not None:
        what = "none of them ran" if firing.state == "SKIPPED" else "one run stands for all of them"
        found.append(
            say(
                f"It is one record for {firing.count} instants that were missed together, up to ",
                Moment(firing.until),
                f": {what}.",
            )
        )
    return found


def _claimed(scene: Scene, firing: Firing) -> Sentences:
    late = firing.acquired_at - firing.scheduled
    by, at = firing.acquired_by or "a node", firing.acquired_at
    if firing.state == "CANCELLED" and firing.started_at is None and late < -scene.rules.look_ahead:
        return [say(f"{by} recorded that it shall not run.", at=at)]
    if late <= 0:
        return [say(f"{by} claimed it, ", Span(-late), " ahead.", at=at)]
    found = [say(f"{by} claimed it, ", Span(late), " after it was due.", at=at)]
    return found if late < LATE_MS else [*found, *_why_claimed_late(scene, firing)]


def _why_claimed_late(scene: Scene, firing: Firing) -> Sentences:
    """What the records that are there tell of it: the first of these reasons that holds."""
    return (
        _accepted_late(scene, firing)
        or _waited(scene, firing)
        or _no_node_then(scene, firing)
        or _taken_over(scene, firing)
        or _claimer_away(scene, firing)
        or [
            say(
                "Nobody claimed it before: its trigger was paused, the node that looked after it was "
                "away or stalled, or the grid did not answer. No record says which."
            )
        ]
    )


def _accepted_late(scene: Scene, firing: Firing) -> Sentences:
    if scene.trigger is None or scene.trigger.created_at <= firing.scheduled:
        return []
    return [
        say(
            "Its trigger was only accepted then, with a start in the past.",
            at=scene.trigger.created_at,
        )
    ]


def _waited(scene: Scene, firing: Firing) -> Sentences:
    """For another run of its job."""
    other = ran_then(scene, firing)
    if other is None:
        return []
    if other.finished_at is None:
        return [say(f"It waits for {other.key}, which has its job to itself.")]
    return [
        say(
            f"It had to wait for {other.key}, which had its job to itself until ",
            Moment(other.finished_at),
            ".",
        )
    ]


def _no_node_then(scene: Scene, firing: Firing) -> Sentences:
    first = min(scene.members, key=lambda member: member.started_at, default=None)
    if first is None or first.started_at <= firing.scheduled:
        return []
    return [
        say(
            f"Every node that is here now was started after it was due, the first, {first.name}, at ",
            Moment(first.started_at),
            ".",
        )
    ]


def _taken_over(scene: Scene, firing: Firing) -> Sentences:
    before = _before(scene, firing)
    if before is None or not _is_gone(scene, before):
        return []
    return [
        say(
            f"{before.acquired_by}, which claimed the instant before, is not there any more: "
            f"{firing.acquired_by} took over once that was sure."
        )
    ]


def _claimer_away(scene: Scene, firing: Firing) -> Sentences:
    claimer = scene.member(firing.acquired_by)
    if claimer is None or claimer.started_at <= firing.scheduled:
        return []
    return [
        say(
            f"{claimer.name} itself was started at ",
            Moment(claimer.started_at),
            ": whoever looked after it before was away.",
        )
    ]


def _before(scene: Scene, firing: Firing) -> Firing | None:
    """The record of the trigger's instant before, where another node claimed it."""
    earlier = [
        each
        for each in scene.records
        if each.trigger == firing.trigger and each.scheduled < firing.scheduled
    ]
    return earlier[-1] if earlier and earlier[-1].acquired_by != firing.acquired_by else None


def _is_gone(scene: Scene, before: Firing) -> bool:
    """Has the node that claimed it ended, or been started again, since?"""
    claimer = scene.member(before.acquired_by)
    return claimer is None or claimer.started_at > before.acquired_at


def _moved(firing: Firing) -> Sentences:
    """Its start was moved before it first ran."""
    if firing.fire_at is None or firing.round:
        return []
    return [
        say(
            "The jitter of its trigger lets it start ",
            Span(firing.fire_at - firing.scheduled),
            " after its instant.",
            at=firing.fire_at,
        )
    ]


def _attempts(firing: Firing) -> Sentences:
    if firing.attempt == 1:
        return []
    before = "attempt 1" if firing.attempt == 2 else f"{firing.attempt - 1} attempts"
    if firing.state in FINAL or not firing.error:
        return [say(f"This is attempt {firing.attempt}: {before} did not end well.")]
    return [say(f"This is attempt {firing.attempt}, after {before}: {firing.error}.")]


def _started(scene: Scene, firing: Firing) -> Sentences:
    if firing.started_at is None:
        return []
    due = firing.scheduled if firing.fire_at is None else firing.fire_at
    late = firing.started_at - due
    found = [
        say(
            f"{firing.member} started attempt {firing.attempt}, ",
            Span(max(0, late)),
            " after its time.",
            at=firing.started_at,
        )
    ]
    if late < LATE_MS or firing.acquired_at - due >= LATE_MS:
        return found
    return found + (
        _waited(scene, firing)
        or [
            say(
                f"It was claimed in time, so it waited for room: for a free thread of {firing.member}, "
                "or in a queue."
            )
        ]
    )


def _now(scene: Scene, firing: Firing) -> Sentences:
    """How it stands, or how it ended."""
    match firing.state:
        case "ACQUIRED":
            return _waits(scene, firing)
        case "REJECTED" if is_unplaced(firing):
            return [
                say(
                    f"No node may run it: {firing.error}. It is offered again when nodes come or "
                    "change (gridsched members)."
                )
            ]
        case "REJECTED":
            return [
                say(
                    "The queues of all nodes that may run it were full for longer than the dispatch "
                    "timeout. It is offered again until one has room."
                )
            ]
        case "PAUSED":
            paused = [] if scene.trigger is None else why_paused(scene, scene.trigger)
            return [*paused, say("When it is resumed too late, it meets its misfire policy.")]
        case "EXECUTING":
            return _runs(scene, firing)
        case _:
            return _ended(scene, firing)


def _waits(scene: Scene, firing: Firing) -> Sentences:
    at = firing.scheduled if firing.fire_at is None else firing.fire_at
    if firing.in_turn or (scene.holder and scene.holder != firing.key and _alone(scene, firing)):
        return (
            why_held(scene)
            if scene.holder
            else [say("It waits for its turn among its job's runs.")]
        )
    if at > scene.now:
        wait = Span(at - scene.now)
        if firing.suspended:
            from_there = "" if firing.checkpoint is None else " from its checkpoint"
            return [say(f"Its run yielded; it goes on{from_there} in ", wait, ".", at=at)]
        what = "Its next attempt starts" if firing.attempt > 1 else "It starts"
        return [say(f"{what} in ", wait, ".", at=at)]
    return _is_not_started(scene, firing)


def _alone(scene: Scene, firing: Firing) -> bool:
    return scene.job is not None and runs_alone(firing, scene.job)


def _is_not_started(scene: Scene, firing: Firing) -> Sentences:
    if not firing.member:
        return [say("It was sent to no node yet; the node that looks after it does so next.")]
    member = scene.member(firing.member)
    if member is None or scene.silent(member):
        return [
            say(
                f"It was sent to {firing.member}, which is not there any more or silent. It is sent to "
                "another node once that is sure."
            )
        ]
    return [
        say(
            f"It lies with {member.name}, which has {member.in_hand} firings in hand for "
            f"{member.threads} threads: it waits for one, or for its hand-over."
        )
    ]


def _runs(scene: Scene, firing: Firing) -> Sentences:
    found = [say("It has been running for ", Span(scene.now - (firing.started_at or 0)), ".")]
    if firing.progress is not None:
        said = f": {firing.message}" if firing.message else ""
        found.append(say(f"It says that it is {firing.progress:.0%} done{said}."))
    member = scene.member(firing.member)
    gone = member is None or member.incarnation != firing.incarnation
    if gone or (member is not None and scene.silent(member)):
        again = scene.job is not None and scene.job.requests_recovery
        then = "run again on another node" if again else "LOST: its job does not request recovery"
        word = "is not there any more" if gone else "is silent"
        found.append(say(f"{firing.member} {word}: once that is sure, it is {then}."))
    return found


def _ended(scene: Scene, firing: Firing) -> Sentences:
    at = firing.finished_at
    took = () if firing.started_at is None else (" after ", Span((at or 0) - firing.started_at))
    match firing.state:
        case "COMPLETE":
            returned = " It returned a value: gridsched results." if firing.returned else ""
            return [say("It ended well", *took, f".{returned}", at=at)]
        case "FAILED":
            return [say("It failed", *took, f": {firing.error}.", at=at), *_no_retry(scene)]
        case "LOST":
            return [
                say(
                    f"{firing.error}. Its job does not request recovery, so it was not run again "
                    "(requests_recovery).",
                    at=at,
                )
            ]
        case "CANCELLED":
            started = " while it ran" if firing.started_at is not None else " before it started"
            return [say(f"It was cancelled{started}: {firing.error}.", at=at)]
        case _:
            return [say(f"It was left out: {firing.error or 'by its misfire policy'}.", at=at)]


def _no_retry(scene: Scene) -> Sentences:
    if scene.job is None:
        return []
    if scene.job.retry is None:
        return [say("Its job has no retry policy, so that was its only attempt.")]
    return [say(f"It was the last of its {scene.job.retry.attempts} attempts.")]


def _kept(firing: Firing) -> Sentences:
    if firing.state not in FINAL:
        return []
    if firing.forget_at is None:
        return [say("Its record stays until it is discarded.")]
    return [say("Its record stays until then.", at=firing.forget_at)]
