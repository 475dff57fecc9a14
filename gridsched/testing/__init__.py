"""A real grid for tests of anything that uses Hazelcast: members in this process, up in milliseconds.

    from gridsched.testing import GridServer

    with GridServer(members=2) as server:
        client = HazelcastClient(cluster_members=server.addresses)

`gridsched.testing.plugin` has pytest fixtures on it.
"""

from gridsched.testing.server import GridServer

__all__ = ["GridServer"]
