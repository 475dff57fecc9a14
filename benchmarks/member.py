"""A real Hazelcast member, started as the tests start theirs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent.parent / "tests"


def _tests() -> Any:
    # The tests are no package: their helper is found as they find it, in their own folder.
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    import hazelcast_member

    return hazelcast_member


def why_no_member() -> str:
    """What keeps this machine from running a member; "" where nothing does."""
    tests = _tests()
    try:
        tests.find_jar()
    except tests.JavaMissing as reason:
        return str(reason)
    return ""


def start_member(folder: Path, cluster_name: str) -> Any:
    """A cluster of one member that serves clients; `addresses` and `stop()`."""
    cluster = _tests().HazelcastCluster(folder, cluster_name=cluster_name)
    try:
        cluster.start()
    except BaseException:
        cluster.stop()
        raise
    return cluster


def version() -> str:
    return str(_tests().VERSION)
