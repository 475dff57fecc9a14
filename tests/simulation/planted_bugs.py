"""Bugs, planted one at a time into the real code: what a simulation must find."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from gridsched.errors import GridError
from gridsched.grid.data import partition_of
from gridsched.grid.port import Change, GridMap
from gridsched.model.firing import FINAL
from gridsched.model.submission import Submission
from gridsched.model.trigger import Trigger
from gridsched.node.claimer import Claimer
from gridsched.node.locks import JobLocks
from gridsched.node.membership import Membership
from gridsched.node.scheduling import Scheduling
from gridsched.node.shell.finisher import Finisher
from gridsched.node.shell.publisher import Publisher
from gridsched.node.shell.shell import Shell
from gridsched.node.sweep import Sweep
from gridsched.policy import claim as claim_policy
from gridsched.policy import events, submissions, transitions
from gridsched.stores.firings import FiringStore
from gridsched.stores.record import Store
from gridsched.stores.submissions import SubmissionStore

Plant = Callable[[pytest.MonkeyPatch], None]


async def _blindly(store: Store[Any], changes: Sequence[Change]) -> list[bool]:
    """Write whatever is there, and take it for done."""
    for change in changes:
        if change.new is None:
            await store.map.remove(change.key)
        else:
            await store.map.put(change.key, change.new)
    return [True] * len(changes)


def _blind_within(
    monkeypatch: pytest.MonkeyPatch, owner: type, method: str, store: type[Store[Any]]
) -> None:
    """While `owner.method` runs, the store writes blindly."""
    real_method, real = getattr(owner, method), store.apply
    depth = 0

    async def outer(self: Any, *args: Any) -> Any:
        nonlocal depth
        depth += 1
        try:
            return await real_method(self, *args)
        finally:
            depth -= 1

    async def inner(self: Any, *args: Any) -> Any:
        return await (_blindly if depth else real)(self, *args)

    monkeypatch.setattr(owner, method, outer)
    monkeypatch.setattr(store, "apply", inner)


def no_firing_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim writes its firings over what another node made."""
    _blind_within(monkeypatch, Claimer, "_make_firings", FiringStore)


def no_start_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member starts what it was sent, whatever became of it."""
    _blind_within(monkeypatch, Shell, "_start", FiringStore)


def no_finish_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A completion is recorded though the firing was given to somebody else."""
    _blind_within(monkeypatch, Finisher, "_record", FiringStore)


def recovery_without_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is taken from its member by writing over its record."""
    _blind_within(monkeypatch, Sweep, "_running", FiringStore)


def events_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Submissions are applied when their event comes, and never looked for."""

    async def nothing(*_: Any) -> list[Any]:
        return []

    monkeypatch.setattr(SubmissionStore, "unanswered", nothing)


def unknown_taken_as_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write of unknown outcome counts as not applied."""

    async def failed(*_: Any) -> bool:
        return False

    monkeypatch.setattr(GridMap, "_settle", failed)


def unknown_taken_as_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write of unknown outcome counts as applied."""

    async def applied(*_: Any) -> bool:
        return True

    monkeypatch.setattr(GridMap, "_settle", applied)


def lock_not_released(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock of what is over stays."""

    async def kept(*_: Any) -> None:
        return None

    monkeypatch.setattr(JobLocks, "give_back", kept)
    monkeypatch.setattr(JobLocks, "_holds", lambda *_: True)


def lock_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every firing gets the lock."""

    async def taken(*_: Any) -> bool:
        return True

    monkeypatch.setattr(JobLocks, "take", taken)
    monkeypatch.setattr(JobLocks, "take_or_wait", taken)
    monkeypatch.setattr(JobLocks, "free", taken)


def owner_change_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node looks after what it owned when it first looked, for ever."""
    real = Membership.owned

    def once(self: Membership) -> tuple[int, ...]:
        if not hasattr(self, "first"):
            self.first = real(self)  # type: ignore[attr-defined]
        return self.first  # type: ignore[attr-defined,no-any-return]

    monkeypatch.setattr(Membership, "owned", once)


def pause_without_parking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause stops the trigger, and not what was claimed of it."""
    monkeypatch.setattr("gridsched.policy.submissions.pause_firing", lambda firing: firing)


def delete_without_cancelling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A delete removes the trigger, and not what was claimed of it."""
    monkeypatch.setattr("gridsched.policy.submissions.cancel_firing", lambda firing, *_: firing)


def replaced_schedule_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trigger is given another schedule, and what was claimed by the one before runs: a bug that was
    here."""
    for module in ("policy.submissions", "node.scheduling"):
        monkeypatch.setattr(f"gridsched.{module}.replaced_firing", lambda firing, *_, **__: firing)


def replacement_cancels_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was claimed goes with its schedule, though the new one names it, or it was due before."""
    monkeypatch.setattr(
        "gridsched.node.scheduling.replaced_firing",
        lambda firing, trigger, now: submissions.cancel_firing(firing, "replaced", now),
    )


def new_schedule_begins_where_the_old_one_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trigger is given another schedule, and is due when it was."""
    real = submissions.plan_schedule

    def kept(
        submission: Submission, command: Any, job: Any, stored: Mapping[str, Trigger], *others: Any
    ) -> Any:
        plan = real(submission, command, job, stored, *others)
        return plan._replace(
            triggers=tuple(
                replace(new, next_fire=old.next_fire, due=old.next_fire)
                if (old := stored.get(new.key)) is not None and old.next_fire is not None
                else new
                for new in plan.triggers
            )
        )

    monkeypatch.setattr("gridsched.node.scheduling.plan_schedule", kept)


def replacement_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The records of a trigger go with its schedule."""

    async def forgotten(self: Scheduling, triggers: Sequence[Any], *_: Any) -> None:
        firings = self._caches.firings
        for trigger in triggers:
            found = await firings.of_trigger(trigger.key, partition_of(trigger.data_key))
            await firings.apply([firings.removed(record) for record in found])

    monkeypatch.setattr(Scheduling, "_end_replaced", forgotten)


def discarded_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has ended is discarded, and stays."""
    monkeypatch.setattr(submissions, "discard", lambda firing, *_: firing)


def lost_payloads_stay_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sends again what never arrived."""

    async def renewed(self: Sweep, record: Any, *_: Any) -> None:
        await self._renew(record)

    monkeypatch.setattr(Sweep, "_send", renewed)


def dead_members_runs_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks whether the member that runs something still lives."""

    async def alive(*_: Any) -> bool:
        return False

    monkeypatch.setattr(Membership, "gone", alive)


def misfires_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every missed instant fires, whatever the policy says, and so the record is another."""
    monkeypatch.setattr(
        "gridsched.node.claimer.claim",
        lambda trigger, window, *args, **options: claim_policy.claim(
            trigger, window._replace(threshold=2**60), *args, **options
        ),
    )


def others_decision_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds another node's firing goes on from its own decision: a bug that was here."""
    monkeypatch.setattr(Claimer, "_as_theirs", lambda *_: None)


def lost_counted_as_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ran on a dead member is recorded as done."""
    real = transitions.orphan

    def done(*args: Any) -> Any:
        orphan = real(*args)
        return replace(orphan, state="COMPLETE") if orphan.state in FINAL else orphan

    monkeypatch.setattr("gridsched.policy.transitions.orphan", done)


def events_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events are put into the grid a little later, when their run is complete: a node that dies
    meanwhile loses them."""
    real, waiting = Publisher._submit, set[asyncio.Task[None]]()

    async def until_done(self: Publisher, made: Sequence[Submission]) -> None:
        while True:
            await asyncio.sleep(2)
            with contextlib.suppress(GridError):
                return await real(self, made)

    async def later(self: Publisher, made: Sequence[Submission]) -> None:
        waiting.add(asyncio.create_task(until_done(self, made)))

    monkeypatch.setattr(Publisher, "_submit", later)


def conditions_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a run returns, its events are published."""
    monkeypatch.setattr(
        "gridsched.node.shell.publisher.decide",
        lambda firing, held, seen: events.decide(firing, [(t, True) for t, _ in held], seen),
    )


def changes_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event for the change to true is published whenever its condition holds."""
    real = events.see
    monkeypatch.setattr(
        "gridsched.policy.events.see",
        lambda trigger, firing, holds, _: real(trigger, firing, holds, None),
    )


BUGS: dict[str, Plant] = {
    plant.__name__: plant
    for plant in (
        no_firing_fence,
        no_start_fence,
        no_finish_fence,
        recovery_without_fence,
        events_are_trusted,
        unknown_taken_as_failure,
        unknown_taken_as_success,
        lock_not_released,
        lock_not_asked_for,
        owner_change_ignored,
        pause_without_parking,
        delete_without_cancelling,
        replaced_schedule_goes_on,
        replacement_cancels_all,
        new_schedule_begins_where_the_old_one_stood,
        replacement_forgets,
        discarded_stays,
        lost_payloads_stay_lost,
        dead_members_runs_stay,
        misfires_ignored,
        others_decision_ignored,
        lost_counted_as_complete,
        events_not_waited_for,
        conditions_ignored,
        changes_ignored,
    )
}
