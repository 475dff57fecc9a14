"""The event loop of a simulation: virtual time, hosts that freeze and die, and a seeded order.

Everything runs in one thread, without sockets. When nothing is ready the clock jumps to the next timer.
Of what is ready, chance picks what runs next, so that each seed is another interleaving and the same
seed the same one. Every callback belongs to a host, told by its context: a frozen host's callbacks
wait until it is thawed, as under SIGSTOP; a dead host's never run, as after SIGKILL, and so
no `finally` of its tasks does.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import warnings
from asyncio import events
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from random import Random
from typing import Any, TypeVar, TypeVarTuple

HOST: ContextVar[str] = ContextVar("HOST", default="")
"""The host that runs this; "" for the simulation itself, which neither freezes nor dies."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class SimulationLoop(asyncio.BaseEventLoop):
    """An event loop that never asks the operating system."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random.random
        self._now = 0.0
        self._serial = 0
        self._runnable: list[asyncio.Handle] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._frozen: dict[str, list[asyncio.Handle]] = {}
        self._dead: set[str] = set()
        self._tasks: list[asyncio.Task[Any]] = []
        self._most_tasks = 1000
        self._failure: BaseException | None = None

    # Hosts

    def freeze(self, host: str) -> None:
        """Nothing of this host runs from now on."""
        self._frozen.setdefault(host, [])

    def thaw(self, host: str) -> None:
        """What became ready meanwhile runs now."""
        self._runnable += self._frozen.pop(host, [])

    def kill(self, host: str) -> None:
        """Nothing of this host ever runs again. Hosts are not born twice: give each start a name."""
        self._frozen.pop(host, None)
        self._dead.add(host)

    def spawn(self, host: str, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task of this host, as all will be that it starts."""
        context = Context()
        context.run(HOST.set, host)
        return self.create_task(coroutine, context=context)

    # Running

    def run_until_complete(self, future: Any) -> Any:
        if asyncio.iscoroutine(future):
            future = self.create_task(future)
        before = events._get_running_loop()
        events._set_running_loop(self)
        try:
            while not future.done() and self._failure is None:
                self._turn()
        finally:
            events._set_running_loop(before)
        if self._failure is not None:
            raise self._failure
        return future.result()

    def _turn(self) -> None:
        ready = self._runnable
        if not ready:
            self._advance()
        last = len(ready) - 1
        if last > 0:
            at = int(self._random() * (last + 1))
            ready[at], ready[last] = ready[last], ready[at]
        if not ready:
            return
        handle = ready.pop()
        if handle._cancelled:
            return
        if self._frozen or self._dead:
            host = handle._context.get(HOST, "")  # type: ignore[attr-defined]
            if host in self._dead:
                return
            if host in self._frozen:
                self._frozen[host].append(handle)
                return
        try:
            handle._context.run(handle._callback, *handle._args)  # type: ignore[attr-defined]
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # what nobody awaits must not go unseen
            self._failure = self._failure or error

    def _advance(self) -> None:
        """Jump to the next timer, and make ready all that is due then."""
        timers, ready = self._timers, self._runnable
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
        if not timers:
            raise RuntimeError("every task of the simulation waits for what will never come")
        self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            ready.append(heapq.heappop(timers)[2])

    # What asyncio asks of a loop

    def time(self) -> float:
        return self._now

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._runnable.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._serial += 1
        heapq.heappush(self._timers, (when, self._serial, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It stays in the heap until its time has come."""

    def create_task(
        self,
        coro: Any,
        *,
        name: object = None,
        context: Context | None = None,
    ) -> asyncio.Task[Any]:
        """A task. It is kept until it is done: one of a dead host must not be collected, which
        would carry out its `finally`, and at a time that depends on the collector."""
        task = asyncio.Task(coro, loop=self, name=name, context=context)  # type: ignore[arg-type]
        self._tasks.append(task)
        if len(self._tasks) > self._most_tasks:
            self._tasks = [each for each in self._tasks if not each.done()]
            self._most_tasks = 2 * len(self._tasks) + 1000
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody awaits must not go unseen: it ends the simulation."""
        error = context.get("exception")
        if error is not None:
            self._failure = self._failure or error

    def close(self) -> None:
        """What has not ended does so now, whatever it would still do."""
        with warnings.catch_warnings():
            # What a task was given to await may not have begun.
            warnings.simplefilter("ignore", RuntimeWarning)
            for task in self._tasks:
                if not task.done():
                    task._log_destroy_pending = False  # type: ignore[attr-defined]
                    with contextlib.suppress(Exception):
                        task.get_coro().close()
        super().close()
        self._runnable.clear()
        self._timers.clear()
        self._frozen.clear()
