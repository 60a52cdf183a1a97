"""The chronology as a scenario: all of it is used, and it names no private person, party or group."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from hashlib import sha256

from events.vocabulary import Kind, Severity
from services.demo import words
from services.demo.answers import PURPOSES
from services.demo.reading import read_scenario
from services.demo.story import spoken_of
from tests.unit.demo.scenarios import SCENARIOS, chronology, told

PARTIES_AND_GROUPS = {
    *("cndd", "fdd", "fnl", "uprona", "frodebu", "msd", "ikibiri", "parena", "sahwanya", "intwari", "cnared"),
    *("imbonerakure", "imbonerakures", "forebu", "redtabara", "palipehutu", "hutu", "tutsi", "twa"),
}
NAMES_OF_PEOPLE = frozenset(
    {
        "b52ebb4f632e5268",
        "a18f4aa6715c2195",
        "790249e12fba23a3",
        "c0ef5bf3ba950256",
        "235355ebc6b2a67d",
        "60d76d46e63e89b0",
        "be8d4cd7d9751c6e",
        "cf922989e740930f",
        "1fd5b6d81e92cd0c",
        "ebdaafc0d7aa3f26",
        "6397c12bd0d31542",
        "17375c39fc6c3136",
        "3e6d284c05280f9a",
        "71aa36b657840121",
        "814f3600af56636c",
        "5cada24c105970cf",
        "5ca455d64ad1f1dd",
        "b490b5101d13ebd3",
        "75f3136b3a73447f",
        "f53dde62f734f057",
        "8af05953fb810276",
        "21d6edabd82da363",
        "fc7fecb7f546d6fa",
        "a693104bc49d63ff",
        "64a26d94ca9c727c",
        "b0965bb076d6539d",
        "d7f810fd88096eea",
        "3d6df2a287835e8f",
        "a4cb99d9bb5c9816",
    }
)
"""Names that accounts of 2015 hold, by the beginning of their SHA-256, so that they stand here neither."""


def named(text: str) -> set[str]:
    """Words of a text that name a party, a group or somebody."""
    written = set(re.findall(r"[a-z]{3,}", text.lower()))
    people = {word for word in written if sha256(word.encode()).hexdigest()[:16] in NAMES_OF_PEOPLE}
    return people | (written & PARTIES_AND_GROUPS)


def test_no_private_person_party_or_group_is_named_in_any_scenario() -> None:
    files = [file for file in SCENARIOS.rglob("*") if file.is_file()]
    assert len(files) >= 4
    for file in files:
        assert not named(file.read_text("utf-8")), file


def test_nor_in_what_invented_people_write() -> None:
    assert not named(str(vars(words)))


def test_the_word_list_finds_names_in_addresses_and_texts() -> None:
    assert named("https://one.example/2015/the-CNDD-congress/")
    assert sha256(b"ndadaye").hexdigest()[:16] in NAMES_OF_PEOPLE


def test_all_441_entries_are_there_and_178_of_them_name_no_commune() -> None:
    entries = chronology().entries
    assert len(entries) == 441
    communes = [entry for entry in entries if entry.unit.startswith("bi:c2015:")]
    assert len(entries) - len(communes) == 178
    assert Counter(entry.unit for entry in entries)["unplaced"] == 1
    assert all(entry.sources for entry in entries)


def test_every_entry_is_told_and_every_one_that_is_no_news_of_another_becomes_a_case() -> None:
    reports = {act.chain.split(" ")[0] for act in told().acts if act.operation == "reports"}
    cases = {act.chain.split(" ")[0] for act in told().acts if act.operation == "cases"}
    entries = chronology().entries
    assert reports >= {entry.entry for entry in entries}
    without = {entry.entry for entry in entries if entry.kind == Kind.RESPONSE_UPDATE or entry.unit == "unplaced"}
    assert cases >= {entry.entry for entry in entries} - without


def test_what_an_account_says_was_done_is_recorded_in_the_case_it_names() -> None:
    released = next(act for act in told().acts if act.chain == "0007" and act.operation == "resolve")
    assert released.body["outcome"] == "settled"
    assert released.at.date() >= next(one.last_day for one in chronology().entries if one.entry == "0016")
    visited = next(act for act in told().acts if act.chain == "0077" and act.operation == "record-action")
    assert [made.of for made in spoken_of(visited)] == ["0078 open"]
    assert visited.body["what"] == "visit"


def test_everything_that_can_become_of_a_referral_and_a_case_comes() -> None:
    done = Counter(act.operation for act in told().acts)
    wanted = (
        "withdraw supersede correct conclude ratify not-ratify merge decide refer acknowledge accept decline complete "
        "revoke fail-delivery check-outcome release-check act-without-consent resolve close relate record-action"
    )
    assert set(wanted.split()) <= done.keys()
    outcomes = {act.body["outcome"] for act in told().acts if act.operation == "check-outcome"}
    assert outcomes == {"confirmed", "contradicted"}
    assert any(act.body.get("dissent") for act in told().acts if act.operation == "assess")
    assert any(act.body.get("provisional") for act in told().acts if act.operation == "cases")


def test_some_grave_cases_are_left_without_an_answer() -> None:
    answered = {act.chain for act in told().acts if act.operation in ("refer", "decide")}
    grave = [
        entry
        for entry in chronology().entries
        if entry.severity in (Severity.SEVERE, Severity.EXTREME) and entry.kind in PURPOSES
    ]
    left = [entry for entry in grave if entry.entry not in answered]
    assert 0 < len(left) < len(grave) / 2


def test_a_shorter_scenario_takes_its_days_from_the_same_facts() -> None:
    fortnight = read_scenario(SCENARIOS / "fortnight_2015")
    assert 20 < len(fortnight.entries) < 60
    assert {entry.entry for entry in fortnight.entries} < {entry.entry for entry in chronology().entries}
    assert fortnight.head.ends - fortnight.head.begins < timedelta(days=20)
