"""The examples of the pages run: Python as programs, `gridsched …` as commands.

They run in a folder that holds the files which the pages show. What talks to a cluster at
127.0.0.1:5701 is run on both: on the embedded grid of a node of shop.xml, and on a real Hazelcast
member with such a node, which is skipped where there is no Java.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pytest
from hazelcast_member import HazelcastCluster
from pages import PAGES, REPOSITORY, Block, as_pattern, blocks, blocks_of

import gridsched

ADDRESS: Final = "127.0.0.1:5701"
ANY_PORT: Final = "127.0.0.1:0"
PATIENCE: Final = 30.0
LOCAL: Final = ("next", "validate")
"""Commands of `gridsched` that need no cluster."""

FILES = [block for page in PAGES for block in blocks(page) if block.file]
PYTHON = [block for block in blocks_of("python") if not block.file]
SHELL = [block for block in blocks_of("sh") if "gridsched " in block.text]
GRIDS = ("embedded", "hazelcast")


class Example:
    """Runs the examples in one folder, on the cluster at `address` where they need one."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self._address = address

    def run(self, *arguments: str) -> str:
        """Run Python with these arguments to its end; what it printed."""
        command = self._command(*arguments)
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(),
            text=True,
            capture_output=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @contextmanager
    def beside(self, command: str, *arguments: str) -> Iterator[Example]:
        """`gridsched start` or `grid` while it is ready; gives where its cluster is."""
        process = subprocess.Popen(
            self._command("-m", "gridsched", command, *arguments),
            cwd=self.folder,
            env=self._environment(),
            text=True,
            stdout=subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            ready, where, *_ = process.stdout.readline().split()
            assert ready == "READY"
            yield Example(self.folder, where if ":" in where else self._address)
        finally:
            process.terminate()
            process.communicate(timeout=30)

    def until_it_is_at_work(self) -> Example:
        """Once its node claims ahead and finishes: its first instant is due as soon as it is accepted,
        and what the pages tell of is any other."""
        give_up_at = time.perf_counter() + PATIENCE
        with gridsched.connect(self._address) as scheduler:
            while not any(
                firing.acquired_at < firing.scheduled
                for firing in scheduler.firings(of="shop/restock", state="COMPLETE")
            ):
                assert time.perf_counter() < give_up_at, "no instant was claimed ahead"
                time.sleep(0.05)
        return self

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, *(each.replace(ADDRESS, self._address) for each in arguments)]

    def _environment(self) -> dict[str, str]:
        given = {"PYTHONPATH": str(REPOSITORY), "GRIDSCHED_GRID": self._address}
        return {**os.environ, **given}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the pages show, and cache_config/ as they find it."""
    path = tmp_path_factory.mktemp("docs")
    shutil.copytree(REPOSITORY / "cache_config", path / "cache_config")
    for block in FILES:
        assert block.file is not None
        file = path / block.file
        assert not file.exists(), f"{block} shows {block.file} a second time"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, "utf-8")
    return path


@pytest.fixture(scope="module")
def alone(folder: Path) -> Example:
    """For what needs no cluster, and must find none."""
    return Example(folder, "127.0.0.1:1")


@pytest.fixture(scope="module")
def embedded(alone: Example) -> Iterator[Example]:
    """On the embedded grid of a node."""
    with alone.beside("start", "shop.xml", "--listen", ANY_PORT) as example:
        yield example.until_it_is_at_work()


@pytest.fixture(scope="module")
def hazelcast(
    java: None, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Example]:
    """On a cluster with a node, of the name that is found without being told."""
    members = tmp_path_factory.mktemp("hazelcast")
    with (
        HazelcastCluster(members, cluster_name="dev") as cluster,
        Example(folder, cluster.addresses[0]).beside(
            "start", "shop.xml", "--grid", ADDRESS
        ) as example,
    ):
        yield example.until_it_is_at_work()


def connects(block: Block) -> bool:
    if block.language == "python":
        return "connect(" in block.text
    given = commands(block)
    if given[0][0] == "grid":
        return False
    return any(c[0] not in (*LOCAL, "start") or "--grid" in c for c in given)


def commands(block: Block) -> list[list[str]]:
    """The arguments of each `gridsched …` of a block. Other commands (make, pip, java) are not run."""
    lines = block.text.replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [each[1:] for each in words if each and each[0] == "gridsched"]


def run(block: Block, example: Example) -> None:
    """Run a block; what it prints is what the page says."""
    if block.language == "python":
        printed = example.run("-c", block.text)
    else:
        printed = run_commands(commands(block), example)
    if block.prints is not None:
        assert as_pattern(block.prints).fullmatch(printed), (
            f"{block} says\n{block.prints}\nand prints\n{printed}"
        )


def run_commands(given: list[list[str]], example: Example) -> str:
    """Run commands one after the other; those behind `grid … &` with that grid."""
    if given[0][0] == "grid":
        with example.beside(*given[0][:-1], "--listen", ANY_PORT) as on_grid:
            return run_commands(given[1:], on_grid)
    return "".join(example.run("-m", "gridsched", *bounded(command)) for command in given)


def bounded(command: list[str]) -> list[str]:
    """The command such that it ends, and takes no port that another may need."""
    if command[0] != "start":
        return command
    ending = [*command[:-1], "--for", "1s"] if command[-1] == "&" else command
    return ending if "--grid" in command else [*ending, "--listen", ANY_PORT]


def of_pages(found: list[Block]) -> list[Any]:
    """Parameters, one a page: what one of its blocks makes another may show, so they run one after the
    other, in one test."""
    in_order = sorted(found, key=lambda block: (block.page, block.line))
    return [
        pytest.param(list(on_page), id=str(page.relative_to(REPOSITORY)))
        for page, on_page in groupby(in_order, lambda block: block.page)
    ]


def run_all(found: list[Block], example: Example) -> None:
    for block in found:
        print(block)  # pytest shows, where one fails, which it was
        run(block, example)


@pytest.mark.parametrize("found", of_pages([b for b in [*PYTHON, *SHELL] if not connects(b)]))
def test_alone(found: list[Block], alone: Example) -> None:
    run_all(found, alone)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("found", of_pages([b for b in [*PYTHON, *SHELL] if connects(b)]))
def test_on_a_cluster(found: list[Block], grid: str, request: pytest.FixtureRequest) -> None:
    run_all(found, request.getfixturevalue(grid))


def test_there_are_examples_of_each_kind() -> None:
    assert len(PYTHON) >= 3
    assert len(SHELL) >= 5
    assert sum(block.prints is not None for block in [*PYTHON, *SHELL]) >= 4


def test_no_python_hides_in_a_block_without_a_language() -> None:
    for page in PAGES:
        for block in blocks(page):
            assert block.language or "import gridsched" not in block.text, f"{block}"
