"""A Hazelcast grid simulated in this process: members, partitions, replicas, maps and queues.

    connection   the port on it: EmbeddedGrid
    cluster      members and the partition table
    maps queues  a map or queue over all its partitions, with `locks` on a map's keys
    eviction     maps of a bounded size
    structures   lists, sets, multimaps, replicated maps, ringbuffers, counters, topics
    partition    replicas and where they migrate, as `arrangement` has it
    mapstore     one replica of one map's share of a partition, with `index`, `query`, `attributes`

Only `connection` knows the port. The rest holds Hazelcast `Data` and is plain synchronous code.
"""

from gridsched.grid.embedded.cluster import EmbeddedCluster
from gridsched.grid.embedded.connection import EmbeddedGrid

__all__ = ["EmbeddedCluster", "EmbeddedGrid"]
