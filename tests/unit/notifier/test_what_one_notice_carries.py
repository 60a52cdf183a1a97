"""Batches of provinces: a crisis first, and of one unit always in the order of what happened."""

from __future__ import annotations

from services.notifier.notice import MOST_EVENTS, by_province
from tests.support.attending import ELSEWHERE, GIHANGA, Log, gazetteer


def test_very_much_of_a_province_is_told_in_order_also_where_only_the_last_of_it_is_a_crisis() -> None:
    log = Log()
    elsewhere = log.level(ELSEWHERE, 2)
    for number in range(MOST_EVENTS):
        log.level(GIHANGA, 2 + number % 2)
    log.level(GIHANGA, 4)
    notices = by_province(log.events, gazetteer())
    assert [len(one.events) for one in notices] == [MOST_EVENTS, 1, 1]
    assert [event for one in notices[:2] for event in one.events] == log.events[1:]
    assert notices[2].events == [elsewhere]
