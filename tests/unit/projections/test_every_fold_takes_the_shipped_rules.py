"""The rule set, the gazetteer and the engines that a new network begins with are taken by every fold that is live."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from events.event import Event
from events.reference import EngineAdopted, GazetteerAdopted, RulesAdopted
from projections.live import LIVE
from projections.projection import Projection
from projections.rule_set import hash_of
from services.acts.adopting import KNOWN_ENGINES
from services.gazetteer import read_gazetteer
from tests.support.projected import folded
from tests.support.written import Written

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = (DEPLOY / "rules" / "burundi.toml").read_text("utf-8")


@pytest.mark.parametrize("projection", LIVE, ids=[one.name for one in LIVE])
def test_what_a_network_begins_with_stops_no_worker(projection: Projection[Any, Any]) -> None:
    gazetteer = read_gazetteer(DEPLOY / "gazetteer" / "burundi").with_division_in_force("2025")
    begins: list[tuple[str, Event]] = [
        ("rules", RulesAdopted(rule_set="burundi", content_hash=hash_of(RULES), content=RULES)),
        (
            "gazetteer",
            GazetteerAdopted(gazetteer="burundi", content=gazetteer.content(), content_hash=gazetteer.content_hash),
        ),
        *(
            ("engines", EngineAdopted(projection=name, number=max(known)))
            for name, known in sorted(KNOWN_ENGINES.items())
        ),
    ]
    log = Written()
    for register, event in begins:
        log.write(f"reference/{register}", event)
    folded(projection, log.events)
