"""The examples of the pages run: Python as programs, `gridsched …` as commands.

They run in a folder that holds the files which the pages show. What talks to a cluster at
127.0.0.1:5701 talks to a real Hazelcast member with a node of shop.xml on it, and is skipped where
there is no Java.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hazelcast_member import HazelcastCluster
from pages import PAGES, REPOSITORY, Block, as_pattern, blocks, blocks_of

ADDRESS: Final = "127.0.0.1:5701"
LOCAL: Final = ("next", "validate")
"""Commands of `gridsched` that need no cluster."""

FILES = [block for page in PAGES for block in blocks(page) if block.file]
PYTHON = [block for block in blocks_of("python") if not block.file]
SHELL = [block for block in blocks_of("sh") if "gridsched " in block.text]


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

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a node, and return once it is active."""
        node = subprocess.Popen(
            self._command("-m", "gridsched", "start", *arguments),
            cwd=self.folder,
            env=self._environment(),
            text=True,
            stdout=subprocess.PIPE,
        )
        assert node.stdout is not None
        assert node.stdout.readline().startswith("READY")
        return node

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
def on_cluster(
    java: None, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Example]:
    """On a cluster with a node, of the name that is found without being told."""
    members = tmp_path_factory.mktemp("hazelcast")
    with HazelcastCluster(members, cluster_name="dev") as cluster:
        example = Example(folder, cluster.addresses[0])
        node = example.start("shop.xml", "--grid", ADDRESS)
        yield example
        node.terminate()
        node.communicate(timeout=30)


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python(block: Block, request: pytest.FixtureRequest) -> None:
    where = "on_cluster" if "connect(" in block.text else "alone"
    example: Example = request.getfixturevalue(where)
    check_printed(block, example.run("-c", block.text))


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_shell(block: Block, request: pytest.FixtureRequest) -> None:
    printed = ""
    for command in commands(block):
        starts = command[0] == "start"
        local = command[0] in LOCAL or (starts and "--grid" not in command)
        example: Example = request.getfixturevalue("alone" if local else "on_cluster")
        for_ever = "&" in command
        ending = [*command[:-1], "--for", "1s"] if for_ever else command
        printed += example.run("-m", "gridsched", *ending)
    check_printed(block, printed)


def commands(block: Block) -> list[list[str]]:
    """The arguments of each `gridsched …` of a block. Other commands (make, pip, java) are not run."""
    lines = block.text.replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [each[1:] for each in words if each and each[0] == "gridsched"]


def check_printed(block: Block, printed: str) -> None:
    if block.prints is not None:
        assert as_pattern(block.prints).fullmatch(printed), (
            f"{block} says\n{block.prints}\nand prints\n{printed}"
        )


def test_there_are_examples_of_each_kind() -> None:
    assert len(PYTHON) >= 3
    assert len(SHELL) >= 5
    assert sum(block.prints is not None for block in [*PYTHON, *SHELL]) >= 4


def test_no_python_hides_in_a_block_without_a_language() -> None:
    for page in PAGES:
        for block in blocks(page):
            assert block.language or "import gridsched" not in block.text, f"{block}"
