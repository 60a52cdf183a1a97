"""Silences and higher alerts hold back what they should, never a crisis, and nobody is left with what is over."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from events.vocabulary import Mode
from services.notifier.deciding import CRISIS, About, Attention, Believed
from services.subscribers.filters import Filters, PublicEvent
from tests.support.attending import (
    COUNTRY,
    ELSEWHERE,
    GIHANGA,
    HAPPENS,
    MPANDA,
    PROVINCE,
    UNITS,
    Log,
    gazetteer,
    history,
    stands,
)
from tests.support.examples import examples

ALL = Filters()
RAISES = Filters(changes=frozenset({"raised"}))


@dataclass
class Told:
    """A log, and one subscriber who follows it."""

    filters: Filters = ALL
    inhibits: bool = False
    log: Log = field(default_factory=Log)
    attention: Attention = field(init=False)

    def __post_init__(self) -> None:
        self.attention = Attention(self.filters, stands, self.inhibits)

    def level(self, unit: str, to: int, **how: Any) -> list[tuple[str, int]]:
        return self._take(self.log.level(unit, to, **how))

    def silence(self, name: str, unit: str, up_to_level: int = 3, **how: Any) -> list[tuple[str, int]]:
        return self._take(self.log.silence(name, unit, up_to_level, **how))

    def _take(self, event: PublicEvent | None) -> list[tuple[str, int]]:
        """What is sent now: units and levels, of announcements -1."""
        sent = [] if event is None else self.attention.take(event, gazetteer())
        return [(one.data["unit"], one.data.get("to", -1)) for one in sent]


def test_a_silence_is_announced_holds_back_and_what_stands_is_told_when_it_is_over() -> None:
    told = Told()
    assert told.silence("s", PROVINCE) == [(PROVINCE, -1)]
    assert told.level(GIHANGA, 2) == []
    assert told.level(GIHANGA, 3) == []
    assert told.level(ELSEWHERE, 3) == [(ELSEWHERE, 3)]
    assert told.silence("s", PROVINCE, ends=True) == [(PROVINCE, -1), (GIHANGA, 3)]


def test_a_crisis_is_never_held_back() -> None:
    told = Told(inhibits=True)
    told.silence("s", COUNTRY)
    assert told.level(COUNTRY, 4) == [(COUNTRY, 4)]
    assert told.level(GIHANGA, 3) == []
    assert told.level(GIHANGA, 4) == [(GIHANGA, 4)]
    assert told.silence("s", COUNTRY, ends=True) == [(COUNTRY, -1)]


def test_what_takes_back_or_ends_what_was_told_is_never_held_back() -> None:
    for corrects in (True, False):
        told = Told()
        told.level(GIHANGA, 3)
        told.silence("s", GIHANGA)
        assert told.level(GIHANGA, 1, corrects=corrects) == [(GIHANGA, 1)]
        assert told.level(GIHANGA, 3) == []
        assert told.level(GIHANGA, 1, corrects=corrects) == []
        assert told.silence("s", GIHANGA, ends=True) == [(GIHANGA, -1)]


def test_only_what_a_silence_names_is_held_back() -> None:
    told = Told()
    told.silence("s", PROVINCE, 2, changes=("raised",), kinds=("tension_and_rumour",))
    assert told.level(GIHANGA, 2, kinds=("tension_and_rumour",)) == []
    assert told.level(MPANDA, 2, kinds=("tension_and_rumour", "displacement")) == [(MPANDA, 2)]
    assert told.level(MPANDA, 3, kinds=("tension_and_rumour",)) == [(MPANDA, 3)]
    assert told.level(MPANDA, 2, kinds=("tension_and_rumour",)) == [(MPANDA, 2)]
    assert told.level(PROVINCE, 2) == [(PROVINCE, 2)]
    assert told.level(PROVINCE, 2, mode=Mode.EXERCISE, kinds=("tension_and_rumour",)) == []  # their filters


def test_one_of_two_silences_goes_on_holding_back() -> None:
    told = Told()
    told.silence("a", GIHANGA)
    told.silence("b", COUNTRY, 2)
    told.level(GIHANGA, 2)
    told.level(MPANDA, 3)
    assert told.silence("a", GIHANGA, ends=True) == [(GIHANGA, -1)]
    assert told.silence("b", COUNTRY, 2, ends=True) == [(COUNTRY, -1), (GIHANGA, 2)]


def test_a_lower_alert_waits_while_a_higher_one_stands_above_it_for_who_asked_for_that() -> None:
    told = Told(inhibits=True)
    told.level(PROVINCE, 3)
    assert told.level(GIHANGA, 2) == []
    assert told.level(MPANDA, 3) == [(MPANDA, 3)]  # no lower one
    assert told.level(ELSEWHERE, 2) == [(ELSEWHERE, 2)]
    assert told.level(PROVINCE, 2) == [(PROVINCE, 2), (GIHANGA, 2)]
    everything = Told()
    everything.level(PROVINCE, 3)
    assert everything.level(GIHANGA, 2) == [(GIHANGA, 2)]


def test_what_they_were_not_told_of_a_province_holds_back_nothing_of_its_communes() -> None:
    told = Told(Filters(units=frozenset({GIHANGA})), inhibits=True)
    assert told.level(PROVINCE, 4) == []
    assert told.level(GIHANGA, 2) == [(GIHANGA, 2)]


def test_the_highest_is_told_first_when_a_silence_is_over_and_holds_back_what_lies_in_it() -> None:
    told = Told(inhibits=True)
    told.silence("s", COUNTRY)
    told.level(GIHANGA, 2)
    told.level(PROVINCE, 3)
    assert told.silence("s", COUNTRY, ends=True) == [(COUNTRY, -1), (PROVINCE, 3)]
    assert told.level(PROVINCE, 1) == [(PROVINCE, 1), (GIHANGA, 2)]


def test_whoever_was_told_hears_of_the_end_whatever_their_filters_say() -> None:
    raises = Told(RAISES)
    assert raises.level(GIHANGA, 3) == [(GIHANGA, 3)]
    assert raises.level(GIHANGA, 2) == []
    assert raises.level(GIHANGA, 0) == [(GIHANGA, 0)]
    assert raises.level(MPANDA, 0) == []
    severe = Told(Filters(minimum_level=4))
    assert severe.level(GIHANGA, 4) == [(GIHANGA, 4)]
    assert severe.level(GIHANGA, 3) == [(GIHANGA, 3)]
    assert severe.level(GIHANGA, 1) == [(GIHANGA, 1)]
    assert severe.level(GIHANGA, 3) == []


def test_a_silence_is_announced_to_whom_it_can_concern() -> None:
    nowhere = Filters(units=frozenset({ELSEWHERE}))
    assert Told(nowhere).silence("s", PROVINCE) == []
    assert Told(nowhere).silence("s", COUNTRY) == [(COUNTRY, -1)]
    assert Told(Filters(units=frozenset({PROVINCE}))).silence("s", GIHANGA) == [(GIHANGA, -1)]
    assert Told(RAISES).silence("s", GIHANGA, changes=("lowered",)) == []
    assert Told(Filters(modes=frozenset({"exercise"}))).silence("s", GIHANGA) == []


FILTERS = st.builds(
    Filters,
    units=st.none() | st.frozensets(st.sampled_from(UNITS), min_size=1),
    minimum_level=st.none() | st.integers(0, 4),
    changes=st.none() | st.frozensets(st.sampled_from(["raised", "lowered", "corrected", "cancelled"]), min_size=1),
)


def last_of_each(events: list[PublicEvent]) -> dict[About, PublicEvent]:
    return {About(one.data["unit"], one.mode): one for one in events if "to" in one.data}


@examples(400)
@given(st.lists(HAPPENS, max_size=40), FILTERS, st.booleans())
@example(
    [
        ("level", PROVINCE, 4, False),
        ("begins", COUNTRY, 2, False),
        ("level", PROVINCE, 2, False),
        ("level", PROVINCE, 4, False),
    ],
    ALL,
    False,
)
def test_nobody_believes_what_is_over_and_every_crisis_is_told_at_once(
    happens: list[tuple[Any, ...]], filters: Filters, inhibits: bool
) -> None:
    log = history(happens)
    attention = Attention(filters, stands, inhibits)
    sent: list[PublicEvent] = []
    before: set[About] = set()
    for index, event in enumerate(log.events):
        knew = attention.believed.get(About(event.data["unit"], event.mode))
        now = attention.take(event, gazetteer())
        sent += now
        told = last_of_each(log.events[: index + 1])
        for about, believed in attention.believed.items():
            assert not believed.stands or stands(told[about]), "what is over is believed"
        if event.data.get("to") == CRISIS and filters.take(event, gazetteer()):
            # what was to be told meanwhile was held back: then they know of a crisis still
            kept = About(event.data["unit"], event.mode) in before
            know_it = kept and knew is not None and knew.stands and knew.level == CRISIS
            assert event in now or know_it, "a crisis was held back"
        for one in now:
            assert one is event or one.data["unit"] in {held.unit for held in before}
        before = {*attention.held}
    assert len({one.position for one in sent}) == len(sent), "something was sent twice"
    # At the end no silence stands: what they believe is what stands, wherever their filters took its last alert and no
    # higher one above it holds it back.
    for about, alert in last_of_each(log.events).items():
        if about in attention.held:
            assert inhibits
        elif stands(alert) and filters.take(alert, gazetteer()):
            assert attention.believed[about].level == alert.level


@examples(400)
@given(st.lists(HAPPENS, max_size=40), FILTERS, st.booleans(), st.data())
def test_it_is_the_same_whoever_takes_over_in_between(
    happens: list[tuple[Any, ...]], filters: Filters, inhibits: bool, data: st.DataObject
) -> None:
    log = history(happens)
    one = Attention(filters, stands, inhibits)
    other = Attention(filters, stands, inhibits)
    for event in log.events:
        if data.draw(st.booleans()):
            other = replace(other, believed=dict(other.believed), held=dict(other.held), silences=dict(other.silences))
            assert other.release(gazetteer()) == []
        assert one.take(event, gazetteer()) == other.take(event, gazetteer())


@examples(300)
@given(st.lists(HAPPENS, max_size=40), FILTERS)
def test_where_nothing_holds_back_all_that_filters_take_is_sent_and_the_ends_of_it(
    happens: list[tuple[Any, ...]], filters: Filters
) -> None:
    log = history([one for one in happens if one[0] == "level"])
    attention = Attention(filters, stands)
    believed: dict[str, PublicEvent] = {}
    for event in log.events:
        unit = event.data["unit"]
        told = believed.get(unit)
        over = (
            told is not None
            and stands(told)
            and (event.data["change"] in ("corrected", "cancelled") or not stands(event))
        )
        expected = filters.take(event, gazetteer()) or over
        assert attention.take(event, gazetteer()) == ([event] if expected else [])
        if expected:
            believed[unit] = event


def test_what_was_tried_and_not_answered_is_told_again_also_where_it_was_an_end() -> None:
    told = Told(RAISES)
    told.level(GIHANGA, 3)
    over = told.log.level(GIHANGA, 0)
    assert over is not None
    about = About(GIHANGA, "actual")
    again = Attention(RAISES, stands, believed={about: Believed(over.position, -1, stands=True)})
    assert again.take(over, gazetteer()) == [over]

    raised = told.log.level(GIHANGA, 3)
    assert raised is not None
    tried = Attention(ALL, stands, believed={about: Believed(raised.position, -1, stands=True)}, held={about: raised})
    assert tried.release(gazetteer()) == [raised]
