"""What has to be told to whom and what is kept back, as the checker reads it from the contract: the notifier decides
the same, and each way in which somebody may be told otherwise is named."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gazetteer import read_gazetteer
from services.notifier.deciding import Attention
from services.notifier.notice import by_province
from services.subscribers.filters import Filters, PublicEvent
from tests.faults.checker import webhooks
from tests.faults.checker.findings import Findings
from tests.faults.checker.hearing import Listener
from tests.faults.checker.history import Fault, Past, Subscribed, Webhook
from tests.faults.checker.ledger import Row
from tests.faults.checker.places import Places
from tests.support.attending import (
    BURUNDI,
    COUNTRY,
    ELSEWHERE,
    GIHANGA,
    HAPPENS,
    MPANDA,
    PROVINCE,
    Log,
    gazetteer,
    history,
    stands,
)
from tests.support.examples import examples

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LEAST = {"0" * 64: 2}
PLACES = Places(gazetteer().content())
WISHES = st.builds(
    Subscribed,
    st.just(SECRET),
    st.none() | st.integers(0, 4),
    st.none() | st.lists(st.sampled_from(["raised", "lowered", "corrected", "cancelled"]), min_size=1).map(tuple),
    inhibit=st.booleans(),
)


def row_of(event: PublicEvent) -> Row:
    row = event.row
    ids = str(row.event_id), row.type, row.home, row.recorded_at, str(row.command_id), row.command_mac
    return Row(row.position, row.stream, row.version, *ids, row.body, json.loads(row.body))


def heard(to: Subscribed, events: Iterable[PublicEvent]) -> Listener:
    listener = Listener(to, PLACES, least_level=dict(LEAST))
    for event in events:
        listener.take(row_of(event))
    return listener


@examples(300)
@given(st.lists(HAPPENS, max_size=40), WISHES)
def test_what_has_to_be_heard_of_any_history_is_what_a_notifier_decides(
    happens: list[tuple[Any, ...]], to: Subscribed
) -> None:
    log = history(happens)
    filters = Filters(None, to.minimum_level, None if to.changes is None else frozenset(to.changes))
    attention = Attention(filters, stands, to.inhibit)

    decided = [(one.position, event.position) for event in log.events for one in attention.take(event, gazetteer())]

    assert [(one.row.position, one.by.position) for one in heard(to, log.events).due] == decided


@pytest.mark.parametrize("division", ["2015", "2025"])
def test_what_lies_in_what_and_in_which_province_is_as_the_gazetteer_says(division: str) -> None:
    there = read_gazetteer(BURUNDI).with_division_in_force(division)
    places = Places(there.content())
    for unit in there.units:
        if there.is_in_force(unit):
            assert tuple(places.around(unit))[1:] == there.ancestors(there.row_at(unit)), unit


def signed(to: str, message_id: str, content_type: str, body: str, at: float) -> Webhook:
    digest = hmac.new(b64decode(SECRET.removeprefix("whsec_")), f"{message_id}.{int(at)}.{body}".encode(), "sha256")
    signature = f"v1,{b64encode(digest.digest()).decode()}"
    return Webhook(message_id, str(int(at)), signature, content_type, body, 204, to, at)


def came(to: str, events: Iterable[PublicEvent]) -> list[Webhook]:
    """One after the other, each a second later."""
    return [
        signed(to, str(one.row.event_id), webhooks.ONE, one.wire.decode(), one.row.recorded_at.timestamp() + number)
        for number, one in enumerate(events, 1)
    ]


def came_together(to: str, notices: Iterable[Sequence[PublicEvent]]) -> list[Webhook]:
    """Each of these a batch."""
    return [
        signed(to, f"batch {number}", webhooks.BATCH, f"[{','.join(one.wire.decode() for one in notice)}]", at)
        for number, notice in enumerate(notices, 1)
        if (at := notice[0].row.recorded_at.timestamp() + number)
    ]


def found_in(log: Log, to: Subscribed, sent: list[Webhook], *faults: Fault) -> dict[str, int]:
    """The codes of what is wrong, where somebody of this wish got these."""
    rows = [GAZETTEER, *(row_of(event) for event in log.events)]
    past = Past(subscribers={"them": to}, webhooks=sent, head_at_the_end=rows[-1].position, faults=list(faults))
    found = Findings()
    webhooks.judge(rows, past, found)
    return found.counts


def level(log: Log, unit: str, to: int, **how: Any) -> PublicEvent:
    """An alert that is told."""
    told = log.level(unit, to, **how)
    assert told is not None
    return told


def adopted() -> Row:
    """The gazetteer, as the first event of the log."""
    wire = {"data": {"content": gazetteer().content()}}
    at = datetime(2026, 5, 1, tzinfo=UTC)
    return Row(1, "reference/gazetteer", 1, "g", "reference.gazetteer_adopted", "*", at, "g", b"", b"{}", wire)


GAZETTEER = adopted()
ALL, GROUPED, INHIBITING = Subscribed(SECRET), Subscribed(SECRET, by_province=True), Subscribed(SECRET, inhibit=True)


def silenced() -> tuple[Log, list[PublicEvent]]:
    """A silence of a province: what is told meanwhile of two communes in it and of one elsewhere, and what comes."""
    log = Log()
    begins = log.silence("s", PROVINCE)
    gihanga, elsewhere, mpanda = level(log, GIHANGA, 3), level(log, ELSEWHERE, 3), level(log, MPANDA, 2)
    ends = log.silence("s", PROVINCE, ends=True)
    return log, [begins, elsewhere, ends, gihanga, mpanda]


def test_what_was_kept_back_and_came_afterwards_is_in_order() -> None:
    log, due = silenced()
    assert found_in(log, ALL, came("them", due)) == {}
    begins, elsewhere, ends, gihanga, mpanda = due
    together = [[begins], [elsewhere], [gihanga, mpanda, ends]]
    assert found_in(log, GROUPED, came_together("them", together)) == {}
    assert [notice.events for notice in by_province(due[2:], gazetteer())] == together[2:]


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ([0, 1, 2, 4], "webhook_missing"),
        ([0, 1, 2, 4], "webhook_state_differs"),
        ([0, 3, 1, 2, 4], "webhook_in_peace"),
        ([0, 1, 3, 2, 4], "webhook_in_peace"),
        ([0, 1, 2, 4, 3], "webhook_out_of_order"),
        ([1, 2, 3, 4], "webhook_missing"),
        ([0, 1, 3, 4], "webhook_missing"),
    ],
)
def test_what_was_kept_back_and_came_otherwise_is_named(order: list[int], code: str) -> None:
    log, due = silenced()
    assert code in found_in(log, ALL, came("them", [due[at] for at in order]))


def test_an_alert_in_whose_place_another_was_kept_back_does_not_come() -> None:
    log = Log()
    begins, raised, lowered = log.silence("s", COUNTRY), level(log, GIHANGA, 3), level(log, GIHANGA, 2)
    ends = log.silence("s", COUNTRY, ends=True)
    assert found_in(log, ALL, came("them", [begins, ends, lowered])) == {}
    assert "webhook_in_peace" in found_in(log, ALL, came("them", [begins, ends, raised, lowered]))
    assert "webhook_in_peace" in found_in(log, ALL, came("them", [begins, raised, ends, lowered]))


def test_an_end_that_was_kept_back_does_not_come_when_something_is_sent_again() -> None:
    log = Log()
    raised, over, begins = level(log, GIHANGA, 3), level(log, GIHANGA, 0, corrects=True), log.silence("s", GIHANGA)
    _, over_again = level(log, GIHANGA, 3), level(log, GIHANGA, 0, corrects=True)
    ends = log.silence("s", GIHANGA, ends=True)
    extra = came("them", [raised, over, begins, over_again, ends])
    assert "webhook_in_peace" in found_in(log, ALL, extra, Fault("webhooks_kill_notifier", 0))


def test_what_was_asked_for_again_comes_again_with_what_it_lets_go_and_once() -> None:
    log = Log()
    before, begins = level(log, MPANDA, 2), log.silence("s", GIHANGA)
    kept, ends = level(log, GIHANGA, 3), log.silence("s", GIHANGA, ends=True)
    first = [before, begins, ends, kept]
    fault = Fault("webhooks_receiver_fails", 0, well=9, again=[("them", ends.position), ("others", 1)])

    def found_where_again_came(*again: PublicEvent) -> set[str]:
        told = came("them", [*first, *again])
        struck = [one._replace(begun=int(number >= len(first))) for number, one in enumerate(told)]
        return set(found_in(log, ALL, struck, fault))

    assert found_where_again_came(ends, kept) == set()
    assert found_where_again_came(ends, kept, kept) == {"webhook_repeated"}
    assert found_where_again_came(ends) == {"webhook_not_again"}, "what was kept back there comes again too"
    assert found_where_again_came(begins, ends, kept) == {"webhook_repeated"}
    fault.again.append(("them", begins.position))
    assert found_where_again_came(begins, ends, kept, ends, kept) == set()
    assert found_where_again_came(begins, ends, kept, kept) == {"webhook_not_again"}


def test_a_lower_alert_that_comes_while_a_higher_one_stands_above_is_named() -> None:
    log = Log()
    above, below, over = level(log, PROVINCE, 3), level(log, GIHANGA, 2), level(log, PROVINCE, 0, corrects=True)
    assert found_in(log, INHIBITING, came("them", [above, over, below])) == {}
    assert "webhook_in_peace" in found_in(log, INHIBITING, came("them", [above, below, over]))
    assert "webhook_missing" in found_in(log, INHIBITING, came("them", [above, over]))
    assert found_in(log, ALL, came("them", [above, below, over])) == {}


def two_provinces() -> tuple[Log, PublicEvent, PublicEvent]:
    log = Log()
    here, elsewhere = level(log, GIHANGA, 3), level(log, ELSEWHERE, 3)
    return log, here, elsewhere


def test_a_batch_is_of_one_province_has_an_id_of_its_own_and_tells_what_the_ledger_has() -> None:
    log, here, elsewhere = two_provinces()
    batches = came_together("them", [[here], [elsewhere]])
    assert found_in(log, GROUPED, batches) == {}
    assert found_in(log, GROUPED, came_together("them", [[here, elsewhere]])).keys() == {"batch_of_several_provinces"}
    first, second = batches
    same_id = signed("them", first.id, second.content_type, second.body, second.received_at)
    assert found_in(log, GROUPED, [first, same_id]).keys() == {"batch_id"}
    of_an_event = signed("them", str(here.row.event_id), first.content_type, first.body, first.received_at)
    assert found_in(log, GROUPED, [of_an_event, second]).keys() == {"batch_id"}
    other = signed("them", first.id, first.content_type, first.body.replace('"to":3', '"to":2'), first.received_at)
    assert "webhook_differs" in found_in(log, GROUPED, [other, second])
    alone = came("them", [here, elsewhere])
    assert "webhook_differs" in found_in(log, GROUPED, alone)
    assert found_in(log, GROUPED, [with_body(first, "[]"), second]).keys() >= {"webhook_of_nothing"}


def with_body(one: Webhook, body: str) -> Webhook:
    return signed(one.to, one.id, one.content_type, body, one.received_at)
