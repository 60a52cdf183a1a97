"""CAP 1.2: valid by the schema whatever is told, one block a language, a chain that leads back to where it began."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from events.alert import AlertChange, AlertIssued, Code, KindGroup
from services.bulletins.cap import MOST_REFERENCES, cap, stamp
from services.bulletins.told import LAST_OF_AN_HOUR, Told, sent_at
from services.bulletins.xml import XSD, NotValid, refuse_invalid, text
from services.words.languages import LANGUAGES
from tests.support.bulletins import BEGINNING, ISSUER, an_alert, chain, read_cap, said, told_of

SCHEMA = etree.XMLSchema(etree.parse(XSD))
NAMES = st.text(min_size=1, max_size=60) | st.sampled_from(['<b> & "c"', "]]>", "Gitega\x00\x0b", "{place}", "%s", "Ñ"])

alerts = st.builds(
    lambda **data: AlertIssued.model_validate(data),
    **{
        "unit": st.just("bi:c2025:bubanza"),
        "unit_name": NAMES,
        "codes": st.lists(
            st.builds(lambda s, c: {"scheme": s, "code": c}, st.from_regex(r"\A[a-z0-9_]{1,8}\Z"), NAMES), max_size=3
        ),
        "from": st.integers(0, 4),
        "to": st.integers(0, 4),
        "on": st.dates(),
        "kinds": st.lists(st.sampled_from([*KindGroup, "a_word_of_tomorrow"]), max_size=3),
        "rules_hash": st.just("0" * 64),
        "change": st.sampled_from([*AlertChange, "a_word_of_tomorrow"]),
        "updates": st.none() | st.uuids(),
        "cancels": st.none() | st.uuids(),
    },
)


@given(alerts, st.sampled_from(["actual", "exercise", "test", "drill"]), st.sampled_from(list(LANGUAGES)))
def test_whatever_is_told_is_a_valid_document_in_every_language(alert: AlertIssued, mode: str, code: str) -> None:
    told = told_of(alert, mode=mode)
    document = read_cap(cap(told, [told.reference], ISSUER, languages=[code]))
    assert SCHEMA.validate(document), SCHEMA.error_log
    assert said(document, "info/language") == [code]
    assert said(document, "info/area/areaDesc") == [
        text(alert.unit_name).replace("\r\n", "\n").replace("\r", "\n")
    ] or ("\r" in alert.unit_name)


def test_there_is_one_block_a_language_and_all_say_the_same_values() -> None:
    document = read_cap(cap(told_of(an_alert()), [], ISSUER))
    assert said(document, "info/language") == list(LANGUAGES)
    for name in ("category", "urgency", "severity", "certainty", "responseType", "area/areaDesc", "parameter/value"):
        values = said(document, f"info/{name}")
        assert values == values[: len(values) // len(LANGUAGES)] * len(LANGUAGES)
    assert len(set(said(document, "info/headline"))) > 1
    assert set(said(document, "info/category")) == {"Security"}


def test_it_is_restricted_where_nothing_else_is_set_and_says_to_whom() -> None:
    document = read_cap(cap(told_of(an_alert()), [], ISSUER))
    assert said(document, "scope") == ["Restricted"]
    assert said(document, "restriction") == ["For partners."]


def test_codes_are_named_by_their_scheme_and_a_polygon_is_there_only_where_it_was_brought() -> None:
    alert = an_alert(codes=(Code(scheme="pcode", code="BDI001002"),))
    document = read_cap(cap(told_of(alert), [], ISSUER))
    geocode = "info/area/geocode"
    assert said(document, f"{geocode}/valueName")[:2] == ["PCODE", "INTABAZA"]
    assert said(document, f"{geocode}/value")[:2] == ["BDI001002", "bi:c2025:bubanza"]
    assert said(document, "info/area/polygon") == said(document, "info/area/circle") == []
    shaped = read_cap(cap(told_of(alert), [], ISSUER, ["-3,29 -3,30 -4,30 -3,29"]))
    assert said(shaped, "info/area/polygon") == ["-3,29 -3,30 -4,30 -3,29"] * len(LANGUAGES)


@given(st.lists(st.integers(0, 4), max_size=60))
def test_a_chain_of_references_resolves_and_no_two_documents_are_named_alike(levels: list[int]) -> None:
    known: set[str] = set()
    standing: list[str] = []
    for link in chain(levels):
        document = read_cap(cap(link.told, link.earlier, ISSUER, languages=["en"]))
        (sender,), (identifier,), (sent,) = (said(document, name) for name in ("sender", "identifier", "sent"))
        named = " ".join(said(document, "references")).split()
        assert set(named) <= known
        assert named == standing[-MOST_REFERENCES:]
        assert said(document, "msgType") == ["Update" if named else "Alert"]
        itself = f"{sender},{identifier},{sent}"
        assert itself not in known
        known.add(itself)
        standing = [*standing, itself] if link.told.stands else []


def test_a_correction_is_an_update_and_what_should_not_have_been_told_is_cancelled() -> None:
    first = told_of(an_alert(), 1)
    corrected = told_of(an_alert(change=AlertChange.CORRECTED, updates=first.alert_id, before=3, after=4), 2)
    cancelled = told_of(an_alert(change=AlertChange.CANCELLED, cancels=corrected.alert_id, before=4, after=1), 3)
    update = read_cap(cap(corrected, [first.reference], ISSUER))
    cancel = read_cap(cap(cancelled, [corrected.reference, first.reference], ISSUER))
    assert (said(update, "msgType"), said(cancel, "msgType")) == (["Update"], ["Cancel"])
    assert said(update, "sent") != said(read_cap(cap(first, [], ISSUER)), "sent")
    assert [one.split(",")[1] for one in said(cancel, "references")[0].split()] == [
        str(first.alert_id),
        str(corrected.alert_id),
    ]
    assert set(said(cancel, "info/responseType")) == {"AllClear"}
    assert set(said(cancel, "info/urgency")) == {"Past"}


def test_an_exercise_says_so_to_programs_and_to_people() -> None:
    document = read_cap(cap(told_of(an_alert(), mode="exercise"), [], ISSUER, languages=["en"]))
    assert said(document, "status") == ["Exercise"]
    assert said(document, "note") == ["This is an exercise: nothing of it happened."]
    assert said(document, "info/headline")[0].startswith("This is an exercise")
    assert said(read_cap(cap(told_of(an_alert(), mode="a_later_word"), [], ISSUER)), "status") == ["Test"]


def test_what_warns_stands_until_it_is_replaced_and_what_has_ended_expires_after_a_day() -> None:
    standing, ended = chain([3, 1])
    assert said(read_cap(cap(standing.told, (), ISSUER)), "info/expires") == []
    (expires, *_) = said(read_cap(cap(ended.told, ended.earlier, ISSUER)), "info/expires")
    assert datetime.fromisoformat(expires) - ended.told.sent == timedelta(days=1)


def test_a_document_has_no_instant_but_its_hour_and_nothing_that_the_alert_does_not_say() -> None:
    told = told_of(an_alert())
    document = cap(told, [], ISSUER).decode()
    instants = re.findall(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", document)
    assert instants == ["2026-05-20T08:00:01"]  # 06:31 in Greenwich is in the ninth hour of Bujumbura
    assert {one.tag.rpartition("}")[2] for one in read_cap(document.encode()).iter()} == {
        "alert", "identifier", "sender", "sent", "status", "msgType", "scope", "restriction", "info", "language",
        "category", "event", "responseType", "urgency", "severity", "certainty", "senderName", "headline",
        "description", "instruction", "parameter", "valueName", "value", "area", "areaDesc", "geocode",
    }  # fmt: skip
    names = said(read_cap(document.encode()), "info/parameter/valueName")
    assert set(names) == {f"intabaza:{name}" for name in ("level", "from", "change", "on", "kind")}


def test_certainty_is_the_same_whatever_stands_behind_a_level() -> None:
    certain = {
        said(read_cap(cap(told_of(an_alert(after=level, kinds=kinds)), [], ISSUER)), "info/certainty")[0]
        for level in (3, 4)
        for kinds in ((), (KindGroup.DISPLACEMENT,))
    }
    assert certain == {"Likely"}


def test_an_hour_has_a_second_for_each_alert_and_order_holds_until_they_are_used_up() -> None:
    seconds = [sent_at(BEGINNING, number) for number in range(LAST_OF_AN_HOUR + 2)]
    assert seconds == sorted(seconds)
    assert len(set(seconds)) == LAST_OF_AN_HOUR + 1
    assert all(one.hour == BEGINNING.hour for one in seconds)


def test_offsets_are_written_as_cap_wants_them() -> None:
    moment = datetime(2026, 5, 20, 6, 0, 1, tzinfo=UTC)
    assert stamp(moment, ZoneInfo("Africa/Bujumbura")) == "2026-05-20T08:00:01+02:00"
    assert stamp(moment, UTC) == "2026-05-20T06:00:01-00:00"


def test_a_document_that_the_schema_refuses_is_given_to_nobody() -> None:
    told: Told = told_of(an_alert())
    document = read_cap(cap(told, [], ISSUER))
    document.remove(document[2])
    with pytest.raises(NotValid, match="status"):
        refuse_invalid(document)
