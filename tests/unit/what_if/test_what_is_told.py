"""What a small history is told as: sentence by sentence on the page, number by number in the JSON."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from html.parser import HTMLParser
from typing import Any

import orjson
import pytest
from rich.console import Console

from events.vocabulary import wire_time
from projections.alert_level.rules import Rules
from services.moments import Moment
from services.what_if.comparing import Side, Unknown, Verdict, compare
from services.what_if.document import document
from services.what_if.folding import fold_twice
from services.what_if.reading import WhatIf
from services.what_if.report import report
from services.what_if.screen import screen
from tests.support.domain import one
from tests.support.level_histories import OTHER_RULES, history, vela
from tests.support.levels import FIRST_RULES, UNIT, Log

EARLIER = (
    FIRST_RULES.replace("up = [4000, 15000, 35000, 80000]", "up = [2000, 5000, 9000, 80000]")
    .replace("down = [2500, 11000, 27000, 60000]", "down = [1000, 4000, 8000, 60000]")
    .replace('name = "burundi-1"', 'name = "earlier"')
)
"""Under these a moderate, unassessed act of violence is an alert."""


def begun() -> Log:
    return Log().rules().engine()


def told(log: Log, text: str = EARLIER, warned_from: int = 3) -> WhatIf:
    log.tick()
    until = wire_time(log.now)
    kept = fold_twice(lambda: [log.events], text, until)
    rules = Rules(text)
    compared = compare(kept, rules.day(kept.rules[0].recorded_at), rules.day(until), warned_from)
    moment = Moment(log.events[-1].position, datetime.fromisoformat(until))
    return WhatIf(moment, until, rules.set.name, rules.hash, rules.set.time_zone, kept.rules, kept.left_out, compared)


def foretold(days: int, *, outcome: str | None = "harm_done") -> Log:
    """A moderate case, and so many days later a severe one that the committee confirms."""
    log = begun().opened("small", severity="moderate").days(days)
    log.opened("grave", severity="severe").assessed("grave", "severe", "1")
    if outcome is not None:
        log.days(1).resolved("grave", outcome)
    return log.days(90)


def test_an_alert_that_stood_before_a_severe_case_is_days_gained() -> None:
    (case,) = told(foretold(1)).compared.warned
    assert (case.case_id, case.unit) == (str(one("grave")), UNIT)
    assert (case.adopted, case.other, case.gained) == (0, 1, 1)


def test_an_alert_counts_for_a_month_at_most() -> None:
    log = begun().opened("worst", severity="severe").assessed("worst", "extreme", "1")
    log.days(50).opened("grave", severity="severe").assessed("grave", "severe", "1").days(2)
    assert {one.case_id: one.other for one in told(log).compared.warned} == {
        str(one("worst")): 0,
        str(one("grave")): 30,
    }


@pytest.mark.parametrize(
    ("outcome", "state", "verdict", "because"),
    [
        ("harm_done", "unverifiable", Verdict.BORNE_OUT, None),
        ("subsided", "confirmed_true", Verdict.BORNE_OUT, None),
        ("prevented", "unverifiable", Verdict.PREVENTED, None),
        ("settled", "unverifiable", Verdict.PREVENTED, None),
        ("subsided", "unverifiable", Verdict.FALSE, None),
        ("harm_done", "confirmed_false", Verdict.FALSE, None),
        ("unknown", "unverifiable", Verdict.UNKNOWN, Unknown.NO_OUTCOME),
        (None, "unverifiable", Verdict.UNKNOWN, Unknown.NO_OUTCOME),
    ],
)
def test_what_became_of_an_alert_follows_from_what_became_of_its_case(
    outcome: str | None, state: str, verdict: Verdict, because: Unknown | None
) -> None:
    log = begun().opened("a", severity="severe", provisional=True, threat=True)
    log.days(1).assessed("a", "severe", "1").days(1).assessed("a", "severe", "6", state=state)
    if outcome is not None:
        log.resolved("a", outcome)
    else:
        log.closed("a")
    found = [one for one in told(log.days(120)).compared.alerts if one.side is Side.ADOPTED]
    assert [(one.verdict, one.because) for one in found] == [(verdict, because)]


def test_an_alert_that_is_not_over_for_a_month_is_too_early_to_judge() -> None:
    log = begun().opened("a", severity="severe").assessed("a", "severe", "1").days(1)
    log.assessed("a", "severe", "6", state="unverifiable").resolved("a", "subsided").days(20)
    assert {one.because for one in told(log).compared.alerts} == {Unknown.TOO_EARLY}


def test_a_home_that_cannot_be_folded_counts_on_neither_side_and_is_named() -> None:
    log = begun().opened("a", severity="severe").opened("b", unit="ve:c:cor", home="ve:c:cor", severity="severe")
    bad = log.events[-1]
    log.events.append(replace(bad, position=bad.position + 1, fault="a type of tomorrow", version=2))
    answer = told(log.days(1))
    assert [(one.home, one.position) for one in answer.left_out] == [("ve:c:cor", bad.position + 1)]
    assert answer.compared.units == [UNIT]
    assert "ve:c:cor is left out on both sides" in report(answer)


def test_what_everybody_agreed_to_pass_over_is_passed_over_here_as_well() -> None:
    from events.reference import EventWaived, WaiverReason

    log = begun().opened("a", severity="severe")
    bad = log.events[-1]
    log.events.append(replace(bad, position=bad.position + 1, fault="a type of tomorrow", version=2))
    waiver = EventWaived(
        projection="alert_level", key=bad.home, position=bad.position + 1, why=next(iter(WaiverReason))
    )
    log.write("reference/waivers", waiver)
    answer = told(log.days(1))
    assert answer.left_out == []
    assert answer.compared.units == [UNIT]


def test_the_page_says_what_the_json_says_and_loads_nothing_from_elsewhere() -> None:
    answer = told(foretold(1))
    page, known = report(answer), document(answer)
    assert orjson.loads(orjson.dumps(known)) == known
    for number in (*known["unit_days"]["adopted"].values(), *known["unit_days"]["other"].values()):
        assert f"<td>{number:,}</td>" in page
    assert "1 day before" in page
    assert not re.search(r"https?:|//|<script|url\((?!#)|@import|src=|href=", page)
    for named in re.findall(r'aria-labelledby="([^"]+)"', page):
        assert all(f'id="{word}"' in page for word in named.split())
    assert page.count("<figure>") == page.count("<figcaption>") == page.count("<svg ") == 5
    assert not Balanced(page).open


def test_a_name_is_text_wherever_it_stands() -> None:
    answer = told(foretold(1))
    answer.compared.names[UNIT] = '<b>&Kayanza"'  # type: ignore[index]
    page = report(answer)
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;Kayanza" in page


@pytest.mark.parametrize("seed", range(12))
def test_any_history_can_be_told(seed: int) -> None:
    log = Log().rules().gazetteer(vela("d1")).engine()
    log.events = list(history(seed, 60))
    if not any(event.type == "reference.rules_adopted" for event in log.events):
        return
    until = log.events[-1].time
    kept, rules = fold_twice(lambda: [log.events], OTHER_RULES, until), Rules(OTHER_RULES)
    compared = compare(kept, rules.day(kept.rules[0].recorded_at), rules.day(until), 1 + seed % 4)
    moment = Moment(log.events[-1].position, datetime.fromisoformat(until))
    answer = WhatIf(moment, until, "other", rules.hash, "Europe/Paris", kept.rules, kept.left_out, compared)
    assert not Balanced(report(answer)).open
    known = document(answer)
    days = (date.fromisoformat(known["days"]["last"]) - date.fromisoformat(known["days"]["first"])).days + 1
    assert sum(known["unit_days"]["adopted"].values()) == days * len(known["units"])
    assert len(known["units_at_an_alert"]) == days
    console = Console(width=110, record=True, quiet=True)
    console.print(screen(answer))


class Balanced(HTMLParser):
    """Elements that are opened and never closed, or closed and never opened."""

    NEVER_CLOSED = frozenset({"meta"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in self.NEVER_CLOSED:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        return

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
