"""Fixtures for tests anywhere: a real Hazelcast cluster, where this machine can run one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hazelcast_member import HazelcastCluster, JavaMissing, find_jar
from hypothesis import settings

# The machine is shared: how long an example takes says nothing of what it tests.
settings.register_profile("gridsched", deadline=None)
settings.load_profile("gridsched")


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are processors: many tests wait for other processes."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


@pytest.fixture(scope="session")
def java() -> None:
    """Skips its test where no member can run; fails it instead where GRIDSCHED_REQUIRE_JAVA=1."""
    try:
        find_jar()
    except JavaMissing as reason:
        if os.environ.get("GRIDSCHED_REQUIRE_JAVA") == "1":
            raise
        pytest.skip(f"no real Hazelcast member: {reason}")


@pytest.fixture(scope="session")
def hazelcast_member(
    java: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HazelcastCluster]:
    """A running cluster of one member, shared by every test of a worker: use names that nobody else
    has."""
    with HazelcastCluster(tmp_path_factory.mktemp("hazelcast")) as cluster:
        yield cluster
