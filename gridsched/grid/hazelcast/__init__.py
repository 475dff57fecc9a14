"""A real Hazelcast cluster as a grid, through its Python client."""

from gridsched.grid.hazelcast.connection import HazelcastGrid

__all__ = ["HazelcastGrid"]
