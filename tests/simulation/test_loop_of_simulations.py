"""The event loop of a simulation, by itself."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable
from random import Random

from gridsched.simulation.loop import SimulationLoop


async def waits_for(other: Awaitable[None]) -> None:
    await other


async def does_nothing() -> None:
    """Ends at once."""


def test_nothing_is_said_of_what_a_dead_host_had_not_begun() -> None:
    loop = SimulationLoop(Random(1))

    async def main() -> None:
        loop.spawn("host", waits_for(does_nothing()))
        loop.kill("host")
        await asyncio.sleep(1)

    loop.run_until_complete(main())
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        loop.close()
    assert not said
