"""Over any history that a level can have, with corrections, overrides and reforms: who reads CAP alone is right."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from lxml import etree

from events.alert import AlertChange, AlertIssued
from projections.alert_level.rules import Rules
from projections.projection import derived_id
from services.bulletins.cap import MOST_REFERENCES, cap
from services.bulletins.told import Reference, Told, sent_at
from tests.support.bulletins import BEGINNING, ISSUER, ReaderOfCap, read_cap, said
from tests.support.examples import examples
from tests.support.level_histories import BLIND_TO_SILENCE, OTHER_RULES, History, histories
from tests.support.levels import FIRST_RULES
from tests.support.projected import folded
from tests.unit.alert_level.second_engine import WITH_A_SECOND

SHOWN = ("identifier", "info/area/areaDesc", "info/severity")
SEVERITIES = ("Minor", "Minor", "Moderate", "Severe", "Extreme")
LEAST = {rules.hash: rules.set.alerts.from_level for rules in map(Rules, (FIRST_RULES, OTHER_RULES, BLIND_TO_SILENCE))}


def tolds(history: History) -> list[Told]:
    """Every alert that is said, as the ledger would have it."""
    found: list[Told] = []
    for one in folded(WITH_A_SECOND, history)[1]:
        if isinstance(alert := one.data, AlertIssued):
            number = len(found)
            sent = sent_at(BEGINNING + timedelta(minutes=number), number % 60)
            stands = alert.change != AlertChange.CANCELLED and alert.after >= LEAST[alert.rules_hash]
            found.append(Told(derived_id(one.seed), number + 1, "actual", sent, stands, alert))
    return found


@examples(40)
@given(histories(engines=(1, 2)))
def test_who_reads_documents_alone_ends_with_the_alerts_that_stand(history: History) -> None:
    known: dict[UUID, Told] = {}
    reader = ReaderOfCap()
    for told in tolds(history):
        earlier: list[Reference] = []
        one = told.supersedes
        while one is not None and len(earlier) < MOST_REFERENCES:
            earlier.append(known[one].reference)
            one = known[one].supersedes
        known[told.alert_id] = told
        reader.take(read_cap(cap(told, earlier, ISSUER, languages=["en"])))
    standing = [told for told in {told.alert.unit: told for told in known.values()}.values() if told.stands]
    warned = sorted((str(told.alert_id), told.alert.unit_name, SEVERITIES[told.alert.after]) for told in standing)
    now = max((told.sent for told in known.values()), default=BEGINNING)
    assert seen(reader.in_effect(now + timedelta(days=1))) == warned
    assert seen(one for one in reader.in_effect(now) if said(one, "info/urgency") != ["Past"]) == warned


def seen(documents: Iterable[etree._Element]) -> list[tuple[str, ...]]:
    """What is shown of documents by whoever knows the standard: which, where, and how severe."""
    return sorted(tuple(said(one, path)[0] for path in SHOWN) for one in documents)
