"""`async def` tests of the node run on virtual time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cluster import Cluster

from gridsched.simulation.virtual_time import VirtualTimeLoop


@pytest.fixture
def loop() -> Iterator[VirtualTimeLoop]:
    loop = VirtualTimeLoop()
    yield loop
    loop.close()


@pytest.fixture
def cluster(loop: VirtualTimeLoop) -> Iterator[Callable[..., Cluster]]:
    """Makes clusters; their nodes are stopped at the test's end."""
    made: list[Cluster] = []

    def make(members: int = 2, **settings: Any) -> Cluster:
        made.append(Cluster(loop, members, **settings))
        return made[-1]

    yield make
    for each in made:
        loop.run_until_complete(each.stop())


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test on the virtual loop."""
    test: Callable[..., Any] = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    fixtures: dict[str, Any] = pyfuncitem.funcargs
    names = inspect.signature(test).parameters
    loop: VirtualTimeLoop = fixtures["loop"]
    loop.run_until_complete(test(**{name: fixtures[name] for name in names}))
    return True
