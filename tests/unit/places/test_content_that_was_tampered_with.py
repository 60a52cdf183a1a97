"""A gazetteer's content comes from a log that is kept for ever: damaged, it is refused with a sentence, no crash."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.places.facts import Facts, Unit, UnitKind
from events.places.faults import GazetteerFaulty
from events.places.gazetteer import Gazetteer
from tests.unit.places.countries import SOURCES, countries

JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(2**64),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.just({}),
)


def refuses_in_sentences_or_reads(content: dict[str, Any]) -> None:
    refusal: GazetteerFaulty | None = None
    try:
        gazetteer = Gazetteer.from_content(content)
    except GazetteerFaulty as refused:
        refusal = refused
    if refusal is None:
        assert Gazetteer.from_content(gazetteer.content()) == gazetteer
    else:
        assert refusal.problems
        assert all(problem.expected and problem.mend for problem in refusal.problems)


@settings(max_examples=150, deadline=None)
@given(facts=countries(), junk=JUNK, data=st.data())
def test_a_changed_cell_is_another_gazetteer_or_a_refusal(facts: Facts, junk: Any, data: st.DataObject) -> None:
    content = copy.deepcopy(Gazetteer(facts).content())
    table = data.draw(st.sampled_from(["divisions", "units", "parents", "aliases", "successions", "earlier"]))
    rows = content[table]["rows"]
    if rows:
        row = data.draw(st.sampled_from(rows))
        row[data.draw(st.integers(0, len(row) - 1))] = junk
    else:
        content[table] = junk

    refuses_in_sentences_or_reads(content)


@settings(max_examples=60, deadline=None)
@given(facts=countries(), junk=JUNK, data=st.data())
def test_a_changed_head_is_another_gazetteer_or_a_refusal(facts: Facts, junk: Any, data: st.DataObject) -> None:
    content = Gazetteer(facts).content()
    key = data.draw(st.sampled_from(sorted(content)))
    without = {name: value for name, value in content.items() if name != key}

    for changed in (without, content | {key: junk}, content | {"added later": junk}):
        refuses_in_sentences_or_reads(changed)


@settings(max_examples=1)
@given(facts=countries())
def test_what_a_later_version_added_is_kept(facts: Facts) -> None:
    content = Gazetteer(facts).content()
    content["units"]["columns"].append("seat")
    for row in content["units"]["rows"]:
        row.append("hill town")
    content["licence"] = "open"

    again = Gazetteer.from_content(content).content()

    assert again["licence"] == "open"
    column = again["units"]["columns"].index("seat")
    assert {row[column] for row in again["units"]["rows"]} == {"hill town"}


@settings(max_examples=1, deadline=None)
@given(facts=countries())
def test_a_gazetteer_too_large_for_one_event_is_refused(facts: Facts) -> None:
    abroad = tuple(
        Unit(unit_id=f"outside:{n}", kind=UnitKind.OUTSIDE, name=f"{n} " + "far" * 30, sources=SOURCES)
        for n in range(8_000)
    )

    with pytest.raises(GazetteerFaulty) as refusal:
        Gazetteer(facts.model_copy(update={"units": facts.units + abroad}))

    assert [fault.rule for fault in refusal.value.faults] == ["too_large"]
