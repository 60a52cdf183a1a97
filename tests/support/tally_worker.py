"""The processors' entry point with projections that notice everything, and say something where told `derives`.

Told `commits`, it commits offsets after each batch, so that a rebalance meets many of those commits.
"""

import sys

from projections import case_timeline
from services.processors import delivery
from services.processors.__main__ import main
from tests.support.tally import tally

if __name__ == "__main__":
    derives = "derives" in sys.argv
    if "commits" in sys.argv:
        delivery.COMMIT_SECONDS = 0.0
    sys.argv[1:] = []
    main((case_timeline.PROJECTION, tally(derives=derives), tally("by_home", by="home", whole=True, derives=derives)))
