"""Real members and real nodes, killed, stopped and started again: `python -m benchmarks.chaos`.

The jobs, the users and the checker are those of `gridsched.simulation`; only the faults are real.
"""
