"""`python -m tests.benchmarks.ours PROJECTION…`: our worker as it always runs, for some folds."""

from __future__ import annotations

import sys

from projections.live import LIVE
from services.processors.__main__ import main

if __name__ == "__main__":
    names, sys.argv[1:] = set(sys.argv[1:]), []
    main([one for one in LIVE if one.name in names])
