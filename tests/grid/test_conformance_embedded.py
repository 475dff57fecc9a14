"""The embedded grid, in this process, with one member and with three."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from conformance import Connect, GridConformance, Run, connections
from embedding import Clock, embedded

from gridsched.grid.embedded.connection import EmbeddedGrid


@pytest.mark.parametrize("members", [1, 3])
class TestEmbedded(GridConformance):
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def elapse(self, clock: Clock) -> Callable[[int], None]:
        return clock.advance

    @pytest.fixture
    def connect(self, run: Run, clock: Clock, members: int) -> Iterator[Connect]:
        cluster = embedded(members, clock)
        with connections(run, lambda: EmbeddedGrid(cluster)) as connect:
            yield connect
