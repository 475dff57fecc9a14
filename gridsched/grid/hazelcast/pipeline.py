"""Compare-and-set in bulk: many changes in flight at once, with little Python for each.

A change costs one small object, and no asyncio task or future: its `Call` writes the outcome into
the batch, and the batch wakes its caller once. One window bounds what is in flight over all
callers, so that a herd of changes neither floods the members nor starves the replies.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from gridsched.grid.data import partition_of
from gridsched.grid.hazelcast.client import Call
from gridsched.grid.hazelcast.link import Link
from gridsched.grid.hazelcast.outcomes import no_answer, none_applied, reason, surely_unapplied
from gridsched.grid.hazelcast.requests import ChangeRequests
from gridsched.grid.port import Change, Outcome

IN_FLIGHT: Final = 128
"""Calls in flight at most, over all callers of a connection."""

_log = logging.getLogger(__name__)


class Window:
    """Bounds the calls in flight.

    Waiters are let in when half of it is free, and so send in bulk: one at a time, each would
    cost a turn of the loop and a packet.
    """

    def __init__(self, limit: int, timeout: float) -> None:
        self.in_flight = 0
        self.limit = limit
        self._refill = limit // 2
        self._timeout = timeout
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def room(self) -> None:
        """Wait until there is room. TimeoutError where nothing came back in time."""
        while self.in_flight >= self.limit:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                async with asyncio.timeout(self._timeout):
                    await turn
            except BaseException:
                self._let_in()  # the turn may have been ours
                raise

    def leave(self) -> None:
        self.in_flight -= 1
        if self._waiting and self.in_flight <= self._refill:
            self._let_in()

    def _let_in(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return


class _Batch:
    """What has become of the changes of one `compare_and_set`."""

    def __init__(self, size: int, window: Window) -> None:
        self.outcomes = [Outcome.UNKNOWN] * size
        self.unapplied = 0
        self.failure: Exception | None = None
        self._open = size
        self._window = window
        self._finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settle(self, index: int, outcome: Outcome) -> None:
        self.outcomes[index] = outcome
        self._close()

    def fail(self, error: Exception, *, sent: bool) -> None:
        self.failure = error
        self.unapplied += surely_unapplied(error, sent)
        self._close()

    async def finished(self, timeout: float) -> None:
        """Wait for every answer; where one does not come in time, that is the failure."""
        overdue = asyncio.get_running_loop().call_later(timeout, self._give_up, timeout)
        try:
            await self._finished
        finally:
            overdue.cancel()

    def _give_up(self, timeout: float) -> None:
        if not self._finished.done():
            self.failure = no_answer(timeout)
            self._finished.set_result(None)

    def _close(self) -> None:
        self._window.leave()
        self._open -= 1
        if not self._open and not self._finished.done():
            self._finished.set_result(None)


class _ChangeCall(Call):
    __slots__ = ("_batch", "_index")

    def __init__(
        self,
        request: Any,
        partition_id: int,
        decode: Callable[[Any], Outcome],
        batch: _Batch,
        index: int,
    ) -> None:
        super().__init__(request, partition_id, decode)
        self._batch = batch
        self._index = index

    def set_result(self, result: Outcome) -> None:
        self._batch.settle(self._index, result)

    def set_exception(self, error: Exception) -> None:
        self._batch.fail(error, sent=self.sent)


class Pipeline:
    """Sends changes, at most `IN_FLIGHT` at a time, to a cluster of `partition_count` partitions."""

    def __init__(self, link: Link, partition_count: int) -> None:
        self._link = link
        self._partition_count = partition_count
        self._window = Window(IN_FLIGHT, link.call_timeout)

    async def send(self, requests: ChangeRequests, changes: Sequence[Change]) -> list[Outcome]:
        """The outcomes in the order of `changes`.

        UNKNOWN where the answer was lost, or did not come in time. GridUnavailable where surely
        none was applied.
        """
        self._link.require()
        if not changes:
            return []
        batch = _Batch(len(changes), self._window)
        try:
            await self._send_all(requests, changes, batch)
        except TimeoutError:
            batch.failure = no_answer(self._link.call_timeout)
        else:
            await batch.finished(self._link.call_timeout)
        return _outcomes_of(batch)

    async def _send_all(
        self, requests: ChangeRequests, changes: Sequence[Change], batch: _Batch
    ) -> None:
        window, invoke = self._window, self._link.client.invoke
        for index, change in enumerate(changes):
            request, decode = requests.of(change)
            partition = partition_of(change.key, self._partition_count)
            if window.in_flight >= window.limit:
                try:
                    await window.room()
                except TimeoutError:
                    batch.unapplied += len(changes) - index
                    raise
            window.in_flight += 1
            invoke(_ChangeCall(request, partition, decode, batch, index))


def _outcomes_of(batch: _Batch) -> list[Outcome]:
    if batch.failure is None:
        return batch.outcomes
    if batch.unapplied == len(batch.outcomes):
        raise none_applied(batch.failure)
    _log.warning(
        "%d of %d changes have no known outcome: %s",
        batch.outcomes.count(Outcome.UNKNOWN),
        len(batch.outcomes),
        reason(batch.failure),
    )
    return list(batch.outcomes)  # a late answer still writes into the batch's own list
