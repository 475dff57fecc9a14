"""Commands run in this process, on a cluster of one embedded node where they need one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner, Result
from running import Run

import gridsched
from gridsched.cli import main, remote


def _runner(**environment: str | None) -> Run:
    runner = CliRunner(env={"FORCE_COLOR": None, **environment})

    def run(*arguments: str) -> Result:
        with _logging_as_it_was():
            return runner.invoke(main, arguments, prog_name="gridsched", catch_exceptions=False)

    return run


@contextmanager
def _logging_as_it_was() -> Iterator[None]:
    """A command sets up the log of its process, which here is that of other tests too."""
    loggers = [logging.getLogger(name) for name in ("", "gridsched", "hazelcast")]
    kept = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    yield
    for logger, level, handlers in kept:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.fixture
def cli() -> Run:
    """Runs `gridsched` with these arguments, its output in a pipe."""
    return _runner()


@pytest.fixture
def terminal() -> Run:
    """The same on a terminal of 100 columns."""
    return _runner(FORCE_COLOR="1", TERM="xterm", COLUMNS="100")


@pytest.fixture(scope="session")
def shared_node() -> Iterator[gridsched.LocalNode]:
    with gridsched.start(name="node-1", allowed_jobs=["gridsched.jobs.samples:*"]) as node:
        yield node


@pytest.fixture
def node(shared_node: gridsched.LocalNode, monkeypatch: pytest.MonkeyPatch) -> gridsched.LocalNode:
    """A node whose cluster every remote command finds, wherever it looks."""
    monkeypatch.setattr(remote, "connect", lambda *_, **__: shared_node.scheduler)
    return shared_node
