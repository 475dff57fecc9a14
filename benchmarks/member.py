"""The grids of a cluster: a real Hazelcast member, as the tests start theirs, or our own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

GRID_XML = """<hazelcast><queue name="Execution-*"><max-size>1000</max-size></queue></hazelcast>"""
TESTS = Path(__file__).parent.parent / "tests"


def helper() -> Any:
    """The module that starts real members."""
    # The tests are no package: their helper is found as they find it, in their own folder.
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    import hazelcast_member

    return hazelcast_member


def why_no_member() -> str:
    """What keeps this machine from running a member; "" where nothing does."""
    tests = helper()
    try:
        tests.find_jar()
    except tests.JavaMissing as reason:
        return str(reason)
    return ""


def start_member(folder: Path, cluster_name: str) -> Any:
    """A cluster of one member that serves clients; `addresses` and `stop()`."""
    cluster = helper().HazelcastCluster(folder, cluster_name=cluster_name, java=())
    try:
        cluster.start()
    except BaseException:
        cluster.stop()
        raise
    return cluster


class GridProcess:
    """`gridsched grid` in a process of its own."""

    def __init__(self, folder: Path, cluster_name: str) -> None:
        config = folder / "grid.xml"
        config.write_text(GRID_XML)
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gridsched", "grid", "--listen", "127.0.0.1:0"),
                *("--cluster-name", cluster_name, "--config", str(config)),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline().split()
        if ready[:1] != ["READY"]:
            raise RuntimeError("the grid did not start")
        self.addresses = ready[1:2]

    def stop(self) -> None:
        self._process.terminate()
        self._process.communicate()


def start_grid(folder: Path, cluster_name: str) -> GridProcess:
    """Our own grid behind Hazelcast's protocol; `addresses` and `stop()`."""
    return GridProcess(folder, cluster_name)


def version() -> str:
    return str(helper().VERSION)
