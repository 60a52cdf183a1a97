"""The random histories that projections are tried on: everything that can happen to a case or report does happen."""

from __future__ import annotations

import random

from events.catalogue import CATALOGUE
from tests.support.happenings import ACTS, history


def test_some_thousand_random_acts_make_every_event_of_a_case_and_a_report() -> None:
    chance = random.Random(7)
    seen: set[str] = set()
    for _ in range(60):
        acts = [
            (chance.choice(ACTS), chance.randrange(5), chance.randrange(8), chance.choice([0, 0, 1, 7]))
            for _ in range(80)
        ]
        seen |= {event.type for event in history(acts)}

    wanted = {event.name for noun in ("case", "report") for event in CATALOGUE[noun]}
    # Tolls and relations concern none of the projections that these histories try.
    assert wanted - seen == {"case.harm_recorded", "case.related", "case.unrelated"}
