"""Others at the same work: the same folds into the same tables, guarded by the same watermarks. Each runs as a process:

python -m tests.benchmarks.peers.stock_faust BOOTSTRAP DSN RECORDS PROJECTION…
"""
