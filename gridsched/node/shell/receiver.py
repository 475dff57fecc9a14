"""The receiver: from the node's execution queue into its hand, never more than fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from gridsched.grid.data import json_value, text_of
from gridsched.grid.port import GridQueue
from gridsched.model.firing import Payload
from gridsched.model.job import Job
from gridsched.node.core import Core
from gridsched.node.membership import BEATS_PER_TIMEOUT
from gridsched.node.run import Held
from gridsched.node.service import Service
from gridsched.stores.record import Record

BATCH: Final = 128
_KNOWN_JOBS: Final = 4096


class Receiver(Service):
    """Drains the queue while there is room, and parks on it when it is empty."""

    def __init__(
        self,
        core: Core,
        queue: GridQueue,
        room: Callable[[], int],
        hold: Callable[[list[Held]], None],
    ) -> None:
        super().__init__("receiver")
        self._firings = core.caches.firings
        self._clock = core.clock
        self._delay = core.settings.shell_delay_ms / 1000
        self._queue = queue
        self._room = room
        self._hold = hold
        # A take that is cancelled may lose what it is just handed, so a stop waits for its end: for a
        # beat, as it does for the others to see that it leaves.
        self._take_timeout = core.settings.session_timeout_ms / BEATS_PER_TIMEOUT / 1000
        self._serial = 0
        self._decode_payload = msgspec.json.Decoder(Payload).decode
        self._decode_job = msgspec.json.Decoder(Job).decode
        self._jobs: dict[bytes, Job] = {}

    async def stop(self) -> None:
        if self.running:
            await self.wind_down(2 * self._take_timeout)

    async def step(self) -> None:
        if self._delay:
            delay, self._delay = self._delay, 0.0
            await self.rest(delay)
        room = self._room()
        if room <= 0:
            await self.rest(None)
            return
        payloads = await self._queue.drain(min(room, BATCH))
        if not payloads:
            first = await self._queue.take(self._take_timeout)
            payloads = [] if first is None else [first]
        if payloads:
            self._hold([self.held(payload) for payload in payloads])

    def held(self, payload: bytes) -> Held:
        """What a payload holds, with the moment at which it starts."""
        content = self._decode_payload(text_of(payload))
        raw = json_value(bytes(content.firing))
        firing = self._firings.decode(raw)
        key = firing.key
        record = Record(key, self._firings.data_key(key), firing, raw)
        due = firing.fire_at or firing.scheduled
        wait = (due - self._clock.now()) / 1000
        self._serial += 1
        return Held(
            due,
            -firing.priority,
            self._serial,
            self._clock.monotonic() + wait,
            record,
            self._job(bytes(content.job)),
            content.data,
        )

    def _job(self, raw: bytes) -> Job:
        job = self._jobs.get(raw)
        if job is None:
            if len(self._jobs) >= _KNOWN_JOBS:
                self._jobs.clear()
            job = self._jobs[raw] = self._decode_job(raw)
        return job
