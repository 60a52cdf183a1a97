"""Every sentence of the code stands in every catalog, and no other; numbers and names keep their places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po

from events.level import ConfidenceReason
from projections.alert_level.rules import Rules
from services import words
from services.words.languages import ENGLISH, LANGUAGES, LOCALES, UNREAD, language
from services.words.level import explain_calm, explain_change, explain_standing
from tests.support.levels import FIRST_RULES, Log, stood

SAID = {"say": None, "say_number": (1, 2), "marked": None}
TRANSLATED = [code for code in LANGUAGES if code != ENGLISH]


def sentences() -> set[str | tuple[str, ...]]:
    """What the code says, as gettext's tools find it."""
    found: set[str | tuple[str, ...]] = set()
    for file in sorted(Path(words.__file__).parent.glob("*.py")):
        with file.open("rb") as source:
            for _, called, sentence, _ in extract_python(source, SAID, (), {}):
                said = [one for one in forms(sentence or ()) if one]
                if said:
                    found.add((said[0], said[1]) if called == "say_number" else said[0])
    return found


def catalog(code: str) -> dict[str | tuple[str, ...], Message]:
    with (LOCALES / f"{code}.po").open("rb") as file:
        return {
            tuple(message.id) if isinstance(message.id, list | tuple) else message.id: message
            for message in read_po(file, locale=LANGUAGES[code])
            if message.id
        }


def forms(text: Any) -> Iterator[str]:
    yield from [text] if isinstance(text, str) else text


def places(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_catalog_says_what_the_code_says(code: str) -> None:
    said = sentences()
    assert len(said) > 60
    assert catalog(code).keys() == said


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_sentence_is_translated_and_keeps_its_places(code: str) -> None:
    for message in catalog(code).values():
        told = list(forms(message.string))
        assert all(told), message.id
        assert {places(one) for one in told} == {places(next(forms(message.id)))}, message.id


def test_a_catalog_that_nobody_born_to_it_has_read_says_so() -> None:
    for code in TRANSLATED:
        head = (LOCALES / f"{code}.po").read_text("utf-8").partition("msgid")[0]
        assert ("need a native reader" in head) == (code in UNREAD)
    assert "rn" in UNREAD


def test_numbers_and_days_are_written_as_the_language_does() -> None:
    log = Log().rules().opened("a").assessed("a", credibility="2").days(1).opened("b", severity="severe").engine()
    change, rules = stood(log).changes[-1], Rules(FIRST_RULES)
    told = {code: explain_change(change, rules, "Kayanza", language(code)) for code in LANGUAGES}
    assert told["en"][0].startswith("Kayanza rises from calm (level 0) to alert (level 3) on 21 May 2026, because")
    assert told["fr"][0].startswith("Kayanza monte de calme (niveau 0) à alerte (niveau 3) le 21 mai 2026, parce")
    assert told["sw"][0].startswith("Kayanza inapanda kutoka utulivu (kiwango 0) hadi tahadhari (kiwango 3) tarehe 21")
    assert told["rn"][0].startswith("Kayanza iraduze iva kuri ituze (urugero rwa 0) igera kuri intabaza")
    assert len({len(sentences) for sentences in told.values()}) == 1


def test_fractions_are_written_as_the_language_does() -> None:
    assert {code: language(code).points(52_500) for code in LANGUAGES} == {
        "en": "52.5",
        "fr": "52,5",
        "rn": "52,5",
        "sw": "52.5",
    }
    assert [language("en").points(one) for one in (0, 7, -1_250, 1_000_000)] == ["0", "0.007", "-1.25", "1000"]


@pytest.mark.parametrize("code", TRANSLATED)
def test_nothing_english_is_left_in_another_language(code: str) -> None:
    log = Log().rules().opened("a").assessed("a", "extreme").opened("t", "tension").assessed("t", "moderate").days(5)
    log.election(log.now.date()).opened("p", "peace_initiative").assessed("p").resolved("a").engine()
    change, rules, to = stood(log).changes[-1], Rules(FIRST_RULES), language(code)
    told = [
        *explain_change(change, rules, "X", to),
        *explain_standing(change, rules, "X", to),
        *explain_calm("X", ConfidenceReason.FEW_REPORTERS, to),
    ]
    assert [one for one in told if {"the", "of", "is", "case", "it"} & set(one.split())] == []
    assert not any("{" in one for one in told)


def test_a_language_that_is_not_ours() -> None:
    with pytest.raises(KeyError):
        language("de")
