"""A position is a moment to whoever knows that of an event of their own, so nothing that is passed on has one."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from services.bulletins import table
from services.bulletins.atom import atom
from services.bulletins.cap import cap
from services.bulletins.features import alert_feature, level_feature
from services.bulletins.told import Told
from services.words.languages import ENGLISH, language
from tests.support.bulletins import ISSUER, chain

POSITION = 7_351_908_264


def forms(told: Told, earlier: Told) -> dict[str, bytes]:
    return {
        "CAP": cap(told, [earlier.reference], ISSUER),
        "Atom": atom([told, earlier], {"self": "/v1/alerts/feed.atom"}, ISSUER, language(ENGLISH)),
        "CSV": table.head() + table.lines([earlier, told]),
        "GeoJSON": orjson.dumps(alert_feature(told, lambda *_: None)),
        "a level in GeoJSON": orjson.dumps(level_feature(told.alert.unit, "", (), told, lambda *_: None)),
    }


@pytest.mark.parametrize("levels", [[3, 4], [4, 3], [3, 1]])
def test_two_alerts_at_other_positions_are_told_alike(levels: list[int]) -> None:
    earlier, told = (link.told for link in chain(levels))
    elsewhere = forms(replace(told, position=POSITION), replace(earlier, position=POSITION - 1))
    assert elsewhere == forms(told, earlier)
    assert not any(str(POSITION).encode() in form for form in elsewhere.values())
