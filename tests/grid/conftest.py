"""What the tests of every grid share: a loop a test, `async def` tests, names that nobody else has."""

from __future__ import annotations

import asyncio
import inspect
import re
import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

pytest.register_assert_rewrite("conformance")

if TYPE_CHECKING:
    from conformance import Run


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test on the loop of its `run` fixture."""
    test: Callable[..., Any] = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    fixtures: dict[str, Any] = pyfuncitem.funcargs
    fixtures["run"](test(**{name: fixtures[name] for name in inspect.signature(test).parameters}))
    return True


@pytest.fixture(autouse=True)
def run() -> Iterator[Run]:
    """Runs coroutines to their end, all on one loop that lives as long as the test."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name for a map or queue that no other test, and no earlier run, has used."""
    return f"{re.sub('[^a-z_]', '-', request.node.name)}-{secrets.token_hex(4)}"


@pytest.fixture
def elapse() -> Callable[[int], None]:
    """Lets the grid's clock run on by so many milliseconds. A real grid's runs by itself."""
    return lambda _ms: None
