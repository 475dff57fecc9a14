"""How fast, how punctual and how big: gridsched and its peers, measured in one run.

python -m benchmarks [--only herd,steady,http,submit,memory] [--grids embedded,hazelcast] [--quick]
"""
