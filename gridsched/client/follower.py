"""The follower of a session: one loop that asks for the records of all its outcomes.

It asks instead of listening: every entry event of the firings would go to every client, and one may be
lost. Intervals grow while nothing changes, and asking takes a fifth of the time at most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Final

from gridsched.client.handle import RESULT_WAIT
from gridsched.client.outcome import AsyncOutcome
from gridsched.clock import Clock
from gridsched.errors import NotFound
from gridsched.model.firing import Firing
from gridsched.node.service import Service
from gridsched.policy.processing import Event, events
from gridsched.stores.caches import Caches

CHUNK: Final = 1000
"""Outcomes asked for together."""

_FIRST_WAIT: Final = 0.005
_LONGEST_WAIT: Final = 0.25
_USUALLY_CLAIMED_MS: Final = 50
_RESTS: Final = 4
"""How much longer than a look the rest after it is at least."""


class Follower(Service):
    """Keeps outcomes up to date until they have ended, and tells their listeners.

    `shown` makes of an outcome what listeners are given.
    """

    def __init__(self, caches: Caches, clock: Clock, shown: Callable[[AsyncOutcome], Any]) -> None:
        super().__init__("session")
        self._caches = caches
        self._clock = clock
        self._shown = shown
        self._outcomes: dict[str, AsyncOutcome] = {}
        self._wait = _FIRST_WAIT

    def follow(self, outcomes: Iterable[AsyncOutcome]) -> None:
        """Follow outcomes from now on."""
        self.start()
        idle = not self._outcomes
        self._outcomes.update((outcome.id, outcome) for outcome in outcomes)
        if idle:
            self.wake()
        self.soon()

    def soon(self) -> None:
        """Something is about to change."""
        if self._wait > _FIRST_WAIT:
            self._wait = _FIRST_WAIT
            self.wake()

    def followed(self, key: str) -> AsyncOutcome | None:
        """The outcome of that id, while it is followed."""
        return self._outcomes.get(key)

    def release(self, key: str) -> None:
        """Follow an outcome no more."""
        outcome = self._outcomes.pop(key, None)
        if outcome is not None:
            outcome.release()

    async def stop(self) -> None:
        await super().stop()
        for key in list(self._outcomes):
            self.release(key)

    async def step(self) -> None:
        if not self._outcomes:
            await self.rest(None)
            return
        began = self._clock.monotonic()
        # Those that are asked for go to the end of the line.
        batch = list(islice(self._outcomes.values(), CHUNK))
        for outcome in batch:
            self._outcomes[outcome.id] = self._outcomes.pop(outcome.id)
        news = await self.look(batch)
        took = self._clock.monotonic() - began
        self._wait = _FIRST_WAIT if news else min(self._wait * 1.5, _LONGEST_WAIT)
        await self.rest(max(self._wait, _RESTS * took))

    async def look(self, outcomes: Sequence[AsyncOutcome]) -> bool:
        """Bring outcomes up to date; was there anything new?"""
        firings = await self._caches.firings.get_all([outcome.id for outcome in outcomes])
        answers = await self._answers([o for o in outcomes if o.id not in firings])
        values = await self._values([r.value for r in firings.values() if r.value.returned])
        changed = False
        for outcome in outcomes:
            if outcome.settled.is_set():  # released, or settled by another look meanwhile
                continue
            record = firings.get(outcome.id)
            if record is not None:
                changed |= self._seen(outcome, record.value, values)
            elif outcome.firing is not None:
                self._lost(outcome)
            elif outcome.id in answers:
                changed = True
                self._settle(outcome, None, None)
        return changed

    async def _answers(self, outcomes: Sequence[AsyncOutcome]) -> set[str]:
        """Take the answers of those that are neither claimed nor answered after a moment; the ids of
        the refused."""
        store = self._caches.submissions
        before = self._clock.now() - _USUALLY_CLAIMED_MS
        waiting = {
            store.key_of(o.submission): o
            for o in outcomes
            if o.submission.state == "NEW" and o.submission.created_at <= before
        }
        if not waiting:
            return set()
        for key, record in (await store.get_all(waiting)).items():
            waiting[key].submission = record.value
        return {o.id for o in waiting.values() if o.submission.state == "REJECTED"}

    async def _values(self, complete: Sequence[Firing]) -> dict[str, Any]:
        if not complete:
            return {}
        found = await self._caches.results.get_all([firing.key for firing in complete])
        return {key: record.value.value for key, record in found.items()}

    def _seen(self, outcome: AsyncOutcome, firing: Firing, values: dict[str, Any]) -> bool:
        """Take what the firing's record says now. It is not taken for complete before its result is
        there, which follows within moments."""
        if firing == outcome.firing:
            return False
        if firing.returned and outcome.id not in values:
            now = self._clock.monotonic()
            outcome.seen_complete_at = outcome.seen_complete_at or now
            if now - outcome.seen_complete_at > RESULT_WAIT:
                self._lost(outcome)
            return True
        self._settle(outcome, firing, values.get(outcome.id))
        return True

    def _settle(self, outcome: AsyncOutcome, firing: Firing | None, value: Any) -> None:
        before, outcome.firing = outcome.firing, firing
        outcome.settle_by_record(value)
        if outcome.settled.is_set():
            self._outcomes.pop(outcome.id, None)
        for event in events(before, firing, outcome.state):
            self._tell(outcome, event)

    def _lost(self, outcome: AsyncOutcome) -> None:
        self._outcomes.pop(outcome.id, None)
        outcome.settle(
            error=NotFound(f"the records of {outcome.id} are gone: their retention is over")
        )

    def _tell(self, outcome: AsyncOutcome, event: Event) -> None:
        listener, shown = outcome.listener, self._shown(outcome)
        try:
            match event:
                case "started":
                    listener.on_started(shown)
                case "progress":
                    listener.on_progress(shown)
                case "suspended":
                    listener.on_suspended(shown)
                case "done":
                    listener.on_done(shown, outcome.value)
                case "failed" if outcome.error is not None:
                    listener.on_failed(shown, outcome.error)
        except Exception:
            self.log.exception("listener %s failed at %r", type(listener).__name__, event)
