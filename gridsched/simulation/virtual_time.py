"""An event loop on virtual time: what would be waited for is skipped.

When nothing is ready to run, the loop's clock jumps to the next timer (as trio's MockClock with
autojump does). A thread that hands something to the loop is waited for in real time first, while
`outside` says that there is such work.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any, Final

START: Final = 1_790_000_000_000
"""Where the wall clock of a virtual loop begins (epoch ms, in September 2026)."""


class _Selector(selectors.BaseSelector):
    """Asks the real selector without waiting, and moves the clock on instead."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._real = selectors.DefaultSelector()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(self._loop.patience())
        if not ready and timeout:
            self._loop.advance(timeout)
        elif not ready and timeout is None:
            raise RuntimeError("virtual time: every task waits for something that will never come")
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Any:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when everything waits for it."""

    def __init__(self) -> None:
        self._virtual = 0.0
        super().__init__(_Selector(self))
        self.outside: Callable[[], bool] = lambda: False

    def time(self) -> float:
        return self._virtual

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self._virtual += seconds

    def patience(self) -> float:
        """How long (real seconds) to wait for other threads before virtual time goes on."""
        return 0.05 if self.outside() else 0.0


class VirtualClock:
    """The clocks of a loop on virtual time: the wall clock is `start` (epoch ms) plus the loop's
    time, plus `skew` ms."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, skew: int = 0, *, start: int = START
    ) -> None:
        self._loop = loop
        self.skew = skew
        self.start = start

    def now(self) -> int:
        # Timers are floats: the millisecond an instant is awaited in must not be missed by a hair.
        return self.start + self.skew + int(self._loop.time() * 1000 + 1e-6)

    def monotonic(self) -> float:
        return self._loop.time()
