"""The catalogue: every event once, named by what happened, holding nothing in clear that could tell who somebody is."""

from __future__ import annotations

import re

import pytest

from events.alert import AlertIssued, AlertSilenceAnnounced
from events.catalogue import CATALOGUE, EVENTS
from events.event import Event
from events.sealed import Clear, Sealed
from events.upcasts import UPCASTS
from events.vocabulary import Word
from tests.architecture.shapes import Leaf, leaves, subclasses

every_event = pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)

PARTICIPLES_NOT_IN_ED = {"withdrawn", "stood", "overdue", "lost", "overridden", "made"}

PERSONAL = {
    "text", "note", "reason", "summary", "person", "contact", "place_words", "exact_times", "sub_kind", "actor_class",
    "source", "name_sealed", "felt_safety",
}  # fmt: skip
"""Names under which a person's words, or words about a person, could stand."""

NOT_A_PERSONS_WORDS = {
    "custody.log_checkpointed note": "a signed note, written by the notary",
    "reference.election_dated source": "who announced the date: an institution, in a reference event",
}

FREE_TEXTS = {
    "alert.issued unit_name": "a place's name from the gazetteer",
    "alert.issued codes.code": "a place's code in somebody's scheme",
    "alert.silenced unit_name": "a place's name from the gazetteer",
    "alert.silenced codes.code": "a place's code in somebody's scheme",
    "alert.silence_announced unit_name": "a place's name from the gazetteer",
    "alert.silence_announced codes.code": "a place's code in somebody's scheme",
    "custody.export_made in_clear.fields": "names of fields of our own events",
    "custody.log_checkpointed note": "a signed note, written by the notary",
    "custody.record_viewed fields": "names of fields of our own events",
    "reference.election_dated source": "where the date was announced",
    "reference.gazetteer_adopted content": "a gazetteer's tables: places and their sources, checked before adoption",
    "reference.recipient_registered label": "an organisation's name; the register says never a private person",
    "reference.rules_adopted content": "a rule set's file, checked before it is adopted",
}
"""Every text of an event that no pattern holds, and why it is about no person. A new one is argued for here."""


def test_every_event_class_is_in_the_catalogue_exactly_once() -> None:
    listed = [event for events in CATALOGUE.values() for event in events]
    assert len(listed) == len(set(listed)) == len(EVENTS)
    assert {event for event in subclasses(Event) if "name" in vars(event)} == set(listed)


def test_an_event_class_without_a_name_only_serves_those_below_it() -> None:
    nameless = {event for event in subclasses(Event) if "name" not in vars(event)}
    assert all(event.__subclasses__() for event in nameless)


@every_event
def test_an_event_is_named_by_its_noun_and_what_happened(event: type[Event]) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)*", event.name)
    noun, _, happened = event.name.partition(".")
    assert any(word.endswith("ed") or word in PARTICIPLES_NOT_IN_ED for word in happened.split("_"))
    spelled = "".join(part.capitalize() for part in re.split(r"[._]", event.name))
    assert spelled.endswith(event.__name__)
    assert event in CATALOGUE["reference" if noun == "clock" else noun]


@every_event
def test_an_event_is_told_in_a_sentence(event: type[Event]) -> None:
    assert (event.__doc__ or "").partition("\n")[0].endswith(".")


@every_event
def test_an_event_is_frozen_and_keeps_what_a_later_version_adds(event: type[Event]) -> None:
    assert event.model_config["frozen"]
    assert event.model_config["extra"] == "allow"


def test_what_concerns_everybody_is_of_reference_and_nothing_else() -> None:
    assert {event for event in EVENTS.values() if event.broadcast} == set(CATALOGUE["reference"])
    assert not any(event.broadcast and event.derived for event in EVENTS.values())


def test_what_a_projection_derives_is_levels_and_alerts_and_nothing_else() -> None:
    derived = {event for event in EVENTS.values() if event.derived}
    assert derived == {*CATALOGUE["level"], AlertIssued, AlertSilenceAnnounced}


@every_event
def test_an_event_counts_in_whole_numbers(event: type[Event]) -> None:
    assert [leaf.path for leaf in leaves(event) if leaf.type in (float, complex)] == []


@every_event
def test_personal_words_are_sealed(event: type[Event]) -> None:
    for leaf in leaves(event):
        if _last(leaf) in PERSONAL and f"{event.name} {leaf.path}" not in NOT_A_PERSONS_WORDS:
            assert leaf.type in (Sealed, Clear) or issubclass(leaf.type, Word), f"{event.name}.{leaf.path} is in clear"


def test_the_alleged_actor_and_the_sub_kind_are_never_words_in_clear() -> None:
    for event in EVENTS.values():
        for leaf in leaves(event):
            if _last(leaf) in {"actor_class", "sub_kind"}:
                assert leaf.type in (Sealed, Clear)


def test_every_text_that_no_pattern_holds_is_argued_for_by_name() -> None:
    free = {
        f"{event.name} {leaf.path}"
        for event in EVENTS.values()
        for leaf in leaves(event)
        if leaf.type is str and leaf.pattern is None
    }
    assert free == set(FREE_TEXTS)


def test_an_alert_for_strangers_holds_these_fields_and_no_other() -> None:
    assert {leaf.path for leaf in leaves(EVENTS["alert.issued"])} == {
        "unit", "unit_name", "codes.scheme", "codes.code", "before", "after", "on", "kinds", "rules_hash", "change",
        "updates", "cancels",
    }  # fmt: skip


@every_event
def test_every_old_version_has_a_step_to_the_next(event: type[Event]) -> None:
    assert {(event.name, version) for version in range(1, event.schema_version)} <= UPCASTS.keys()


def test_there_is_no_step_for_a_version_that_never_was() -> None:
    assert all(name in EVENTS and 1 <= version < EVENTS[name].schema_version for name, version in UPCASTS)


def _last(leaf: Leaf) -> str:
    return leaf.path.rpartition(".")[2]
