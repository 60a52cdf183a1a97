"""Everything that can be read, after everything that can be done was done, through the API on a real stack."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from events.catalogue import read as read_event
from services.api.examples import EXAMPLES, GIHANGA, GISURU, HEALTH, MPANDA, POLICE
from services.api.reads.every import READS
from services.wiring import open_desk
from tests.support.doors import (
    ALINE,
    ANALYST,
    AUDITOR,
    BEDE,
    CONSUMER,
    CUSTODIAN,
    FABIEN,
    HILAIRE,
    ODILE,
    Caller,
)
from tests.support.told import Told, next_of

PAST_THE_END = 10**12


async def test_every_read_answers_an_auditor_and_is_kept_by_nobody_else(told: Told) -> None:
    referral_id = told.made("case.refer", "referral_id")
    known = {
        "unit": GIHANGA,
        "case_id": told.case_id,
        "report_id": told.report_id,
        "referral_id": referral_id,
        "recipient": POLICE,
        "position": "1",
        "alert_id": told.alert_id,
        "silence_id": told.made("alert.silence", "silence_id"),
        "event": "1",
    }
    for read in READS:
        # told here of nobody, and tried where there are some; signed by nobody, and tried where somebody signs
        if read.operation in ("read.subscribers", "read.log", "read.log-entries", "read.log-keys"):
            continue
        path = read.address.format(**known)
        params: dict[str, Any] = {"name": "Gihanga"} if read.address == "/v1/places" else {}
        params |= {"role": "reviewer"} if read.address == "/v1/queue" else {}
        caller = FABIEN if read.operation == "read.silent-reporters" else AUDITOR
        answer = await told.doors.get(caller, path, **params)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["vary"] == "Authorization"


async def test_a_level_says_what_it_is_made_of_and_a_place_of_which_nothing_was_heard_says_that(told: Told) -> None:
    level = await told.see(ANALYST, f"/v1/levels/{GIHANGA}")
    assert (level["unit_name"], level["heard"]) == ("Gihanga", True)
    assert level["level_name"] == ("calm", "watch", "tension", "alert", "crisis")[level["level"]]
    assert level["contributions"][0]["case_id"] == told.case_id
    assert level["codes"]
    silent = await told.see(ANALYST, "/v1/levels/bi:c2015:bukeye")
    assert (silent["heard"], silent["level"], silent["unit_name"]) == (False, None, "Bukeye")
    assert "nobody knows" in silent["note"]


async def test_how_well_a_place_is_watched_is_told_by_counts(told: Told) -> None:
    watched = await told.see(ANALYST, f"/v1/coverage/{GIHANGA}")
    assert (watched["unit_name"], watched["state"], watched["reporters"]) == ("Gihanga", "lost", 0)
    assert (watched["confidence"], watched["channels"]) == ("blind", [])  # she never spoke over any
    assert (await told.see(ANALYST, f"/v1/levels/{GIHANGA}"))["confidence"] == "blind"
    never = await told.see(ANALYST, "/v1/coverage/bi:c2015:bukeye")
    assert (never["state"], never["confidence"], never["channels"]) == ("unknown", "low", [])
    listed = await told.pages(ANALYST, "/v1/coverage", "coverage", state="lost")
    assert [one["unit"] for one in listed] == [GIHANGA]
    everywhere = await told.pages(ANALYST, "/v1/coverage", "coverage", uncovered="true")
    assert len(everywhere) == len({one["unit"] for one in everywhere}) == 119
    assert await told.pages(ANALYST, "/v1/coverage", "coverage", uncovered="true", confidence="high") == []


async def test_a_history_is_told_in_words_and_page_by_page(told: Told) -> None:
    history = await told.see(ANALYST, f"/v1/levels/{GIHANGA}/history")
    numbers = [change["number"] for change in history["changes"]]
    assert numbers == list(range(len(numbers), 0, -1))
    assert history["changes"][0]["in_words"][0].startswith("Gihanga ")
    paged = await told.pages(ANALYST, f"/v1/levels/{GIHANGA}/history", "changes")
    assert paged == history["changes"]


async def test_a_history_is_told_in_each_language(told: Told) -> None:
    for code, first in (("fr", "Gihanga monte de "), ("sw", "Gihanga inapanda "), ("rn", "Gihanga iraduze ")):
        history = await told.see(ANALYST, f"/v1/levels/{GIHANGA}/history", language=code)
        assert history["changes"][-1]["in_words"][0].startswith(first)
    refused = await told.doors.get(ANALYST, f"/v1/levels/{GIHANGA}/history", language="de")
    assert (refused.status_code, "expected one of en, fr, rn, sw" in refused.text) == (400, True)


async def test_a_level_is_explained_as_it_stands_and_as_it_was_said_at_a_moment(told: Told) -> None:
    path = f"/v1/levels/{GIHANGA}/explanation"
    now = await told.see(ANALYST, path)
    level = await told.see(ANALYST, f"/v1/levels/{GIHANGA}")
    assert (now["level"], now["explanation"]["contributions"]) == (level["level"], level["contributions"])
    assert now["in_words"][0].startswith(f"Gihanga stands at {level['level_name']} (level {level['level']}) since ")

    async with open_desk(told.doors.stack.settings) as desk:
        said = [row for row in await desk.ledger.read_stream(f"level/{GIHANGA}") if row.type == "level.level_changed"]
    for row in said:
        then = await told.see(ANALYST, path, as_of=row.recorded_at.isoformat())
        change = read_event(row.wire()).data.wire_data()
        assert (then["said_at_position"], then["explanation"]) == (row.position, change)
        assert then["level"] == change["to"]
        by_position = await told.see(ANALYST, path, as_of=row.position)
        assert by_position["as_of_position"] == row.position
        assert by_position["in_words"] == then["in_words"]
    before = said[0].recorded_at - timedelta(microseconds=1)
    nothing = await told.see(ANALYST, path, as_of=before.isoformat(), language="fr")
    assert (nothing["level"], nothing["in_words"]) == (
        0,
        [
            "Gihanga est au niveau calme (niveau 0) : rien n'a changé cela jusqu'ici.",
            "Ce lieu n'est pas observé actuellement : le niveau peut monter, mais il ne descend pas tant que personne "
            "ne regarde de nouveau.",
        ],
    )
    # Whoever had been assigned there was silent before the first case: that stands on the log by itself.
    assert (nothing["confidence_reason"], nothing["confidence_is_exact"]) == ("coverage_lost", True)


async def test_a_moment_without_its_offset_is_refused(told: Told) -> None:
    for words in ("2015-05-13T12:00:00", "2015-05-13 12:00:00+02:00", "yesterday"):
        refused = await told.doors.get(ANALYST, f"/v1/levels/{GIHANGA}/explanation", as_of=words)
        assert (refused.status_code, "is no moment: expected a position on the log" in refused.text) == (400, True)


async def test_a_level_is_explained_by_the_command_line_too(told: Told) -> None:
    done = await asyncio.to_thread(told.doors.stack.command, "explain", "gihanga", "--language", "rn")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Gihanga ira")
    assert "Nobody who was born to this language" in done.stderr
    unknown = await asyncio.to_thread(told.doors.stack.command, "explain", "Gihagna")
    assert (unknown.returncode, "No unit is called 'Gihagna'. Near it: bi:c2015:gihanga" in unknown.stderr) == (1, True)
    several = await asyncio.to_thread(told.doors.stack.command, "explain", "Butaganzwa")
    assert (several.returncode, "several places bear this name. Choose one: " in several.stderr) == (1, True)


@pytest.mark.parametrize(
    ("moment", "status", "said"),
    [
        ("1", 0, "Gihanga"),
        ("2015-05-13T12:00:00", 2, "is no moment: expected a position on the log"),
        ("1970-01-01T00:00:00Z", 3, "is before the log: it begins with position 1"),
        ("2999-01-01T00:00:00Z", 4, "is beyond the log: it ends with position"),
    ],
)
async def test_the_command_line_takes_moments_as_all_do(told: Told, moment: str, status: int, said: str) -> None:
    done = await asyncio.to_thread(told.doors.stack.command, "explain", "gihanga", "--as-of", moment)
    assert (done.returncode, said in done.stdout + done.stderr) == (status, True), done.stderr


async def test_who_is_no_part_of_the_network_sees_of_a_level_what_an_alert_says(told: Told) -> None:
    for caller in (CONSUMER, ALINE):
        for path in (f"/v1/levels/{GIHANGA}", "/v1/levels/bi:c2015:bukeye"):
            shown = await told.see(caller, path)
            assert shown.keys() - {"note"} == {"unit", "unit_name", "codes", "level", "level_name", "since"}
        assert (shown["level"], shown["level_name"]) == (None, None)
        assert "does not say that it is calm" in shown["note"]
        assert (await told.see(caller, f"/v1/levels/{MPANDA}"))["level"] >= 3


async def test_levels_come_page_by_page_in_order_of_units(told: Told) -> None:
    rows = await told.pages(AUDITOR, "/v1/levels", "levels")
    units = [row["unit"] for row in rows]
    assert units == sorted(units)
    assert {GIHANGA, GISURU} <= {*units}
    everywhere = (await told.see(AUDITOR, "/v1/levels", silent="true", limit=200))["levels"]
    assert [row["unit"] for row in everywhere] == sorted({row["unit"] for row in everywhere} | {*units})
    assert len([row for row in everywhere if row["unit"].startswith("bi:c2015:")]) == 119
    assert {row["unit"] for row in everywhere if row["heard"]} == {*units}
    west = await told.pages(AUDITOR, "/v1/levels", "levels", unit="bi:p2015:bubanza", silent="true")
    assert len(west) >= 5
    assert [row for row in west if row["heard"]] == [row for row in rows if row["unit"] in (GIHANGA, MPANDA)]
    here = await told.pages(AUDITOR, "/v1/levels", "levels", unit=GIHANGA)
    assert [row["unit"] for row in here] == [GIHANGA]


async def test_a_case_shows_its_stage_reports_referrals_and_the_position_that_if_match_takes(told: Told) -> None:
    answer = await told.doors.get(ODILE, f"/v1/cases/{told.case_id}")
    case = answer.json()
    assert (case["unit"], case["unit_name"], case["stage"], case["severity"]) == (GIHANGA, "Gihanga", "open", "severe")
    assert {one["recipient"] for one in case["referrals"]} == {POLICE, HEALTH}
    assert {one["report_id"] for one in case["reports"]} >= {told.report_id}
    stale = {"If-Match": '"1"'}
    deed = {"choice": "monitor", "reason": "Quiet since."}
    path = f"/v1/cases/{told.case_id}/decide"
    assert (await told.doors.post(ODILE, path, deed, headers=stale)).status_code == 412
    fresh = await told.doors.post(
        ODILE, path, deed, headers={"If-Match": answer.headers["etag"]}, wait="projected", wait_seconds="30"
    )
    assert fresh.status_code == 200, fresh.text
    again = await told.doors.get(ODILE, f"/v1/cases/{told.case_id}")
    assert again.headers["etag"] == f'"{fresh.json()["position"]}"'
    assert again.json()["last_decision"] == "monitor"


async def test_the_board_its_counts_and_what_left_it(told: Told) -> None:
    board = await told.pages(ANALYST, "/v1/cases", "cases")
    assert told.case_id in {case["case_id"] for case in board}
    counts = (await told.see(ANALYST, "/v1/cases/counts"))["counts"]
    assert sum(row["cases"] for row in counts) == len(board)
    ended = await told.pages(ANALYST, "/v1/cases/ended", "cases")
    assert {case["stage"] for case in ended} == {"not_ratified"}
    narrow = await told.see(ANALYST, "/v1/cases", kind="tension", stage="open", severity="minor")
    assert narrow == {"cases": []}


async def test_a_timeline_shows_that_texts_are_sealed_and_not_a_word_of_them(told: Told) -> None:
    events = await told.pages(AUDITOR, f"/v1/cases/{told.case_id}/timeline", "events")
    positions = [event["position"] for event in events]
    assert positions == sorted(positions)
    assert {event["record"] for event in events} == {"case", "report"}
    opened = next(event for event in events if event["type"] == "case.opened")
    assert opened["data"]["summary"] == {"sealed": True}
    assert set(opened["sealed_fields"]) == {"summary", "actor_class"}
    unlinked = {event["record_id"] for event in events if not event["still_linked"]}
    assert told.report_id not in unlinked
    whole = await told.see(AUDITOR, f"/v1/cases/{told.case_id}/timeline", limit=200)
    assert whole["events"] == events
    assert '"ct"' not in str(whole)


async def test_a_report_shows_where_it_stands_and_of_its_texts_that_they_are_there(told: Told) -> None:
    answer = await told.doors.get(BEDE, f"/v1/reports/{told.report_id}")
    report = answer.json()
    assert (report["standing"], report["unit"], report["mode"]) == ("stands", MPANDA, "actual")
    assert (report["reliability"], report["credibility"], report["round"]) == ("F", "2", 2)
    assert len(report["grades"]) == 3
    assert {"field": "text", "version": 1} in report["sealed_fields"]
    assert "bakomeretse" not in answer.text
    assert answer.headers["etag"].strip('"').isdigit()
    again = told.made("report.supersede", "report_id")
    later = await told.see(BEDE, f"/v1/reports/{again}")
    (before,) = later["received_before_as"]
    assert (await told.see(BEDE, f"/v1/reports/{before}"))["received_again_as"] == again
    timeline = (await told.see(BEDE, f"/v1/reports/{again}/timeline"))["events"]
    assert {event["record_id"] for event in timeline} == {before, again}


async def test_the_queue_of_a_role_is_its_own_unless_another_is_asked_for(told: Told) -> None:
    mine = await told.see(BEDE, "/v1/queue")
    assert mine["role"] == "reviewer"
    assert mine["waiting"]
    assert not {"graded_by", "recused"} & mine["waiting"][0].keys()
    assert (await told.see(BEDE, "/v1/queue", role="coordinator"))["role"] == "coordinator"
    assert await told.refused(ODILE, "/v1/queue") == (400, 1005)
    counts = (await told.see(BEDE, "/v1/queue/counts"))["counts"]
    reviewers = sum(row["things"] for row in counts if row["role"] == "reviewer")
    assert len(await told.pages(BEDE, "/v1/queue", "waiting")) == reviewers
    assert "cases" in await told.see(BEDE, "/v1/queue/changed-evidence", limit=5)


async def test_a_recipient_sees_its_own_referrals_and_of_the_case_what_was_agreed(told: Told) -> None:
    path = f"/v1/cases/{told.case_id}/referrals"
    own = await told.pages(HILAIRE, f"/v1/recipients/{POLICE}/referrals", "referrals")
    assert {one["recipient"] for one in own} == {POLICE}
    assert all("unit" not in one for one in own)
    assert await told.refused(HILAIRE, f"/v1/recipients/{HEALTH}/referrals") == (403, 2003)
    assert await told.refused(HILAIRE, "/v1/referrals", recipient=HEALTH) == (403, 2003)
    assert await told.refused(HILAIRE, "/v1/referrals", unit=GIHANGA) == (400, 1005)
    assert await told.refused(ODILE, "/v1/recipients/%00/referrals") == (404, 1013)
    assert await told.refused(ODILE, "/v1/recipients/%00") == (404, 1013)
    assert await told.refused(ODILE, "/v1/levels/%00") == (422, 1101)
    others, mine = told.made("case.refer", "referral_id", 1), told.made("case.refer", "referral_id", 0)
    assert await told.refused(HILAIRE, f"{path}/{others}") == (404, 3235)
    assert await told.refused(HILAIRE, f"{path}/{uuid4()}") == (404, 3235)
    shown = await told.see(HILAIRE, f"{path}/{mine}")
    declined = shown["state"] == "declined"
    assert (shown["agreed"] is None) == declined
    officers = await told.see(ODILE, f"{path}/{mine}")
    assert set(officers["agreed"]) <= set(officers["minimum_data"])
    assert await told.refused(HILAIRE, f"/v1/cases/{told.case_id}") == (403, 2002)


async def test_referrals_are_counted_and_listed_for_officers(told: Told) -> None:
    counts = (await told.see(ODILE, "/v1/referrals/counts"))["counts"]
    assert {row["recipient"] for row in counts} == {POLICE, HEALTH}
    of_case = (await told.see(ODILE, f"/v1/cases/{told.case_id}/referrals"))["referrals"]
    assert [one["recipient"] for one in of_case][:2] == [POLICE, HEALTH]  # what another test refers comes after them
    assert await told.see(ODILE, "/v1/referrals", overdue="true") == {"referrals": []}
    assert "gaps" in await told.see(ODILE, "/v1/gaps", awaited="ratification")
    assert "gaps" in await told.see(ODILE, f"/v1/cases/{told.case_id}/gaps")


async def test_names_are_looked_up_and_never_guessed(told: Told) -> None:
    found = await told.see(CONSUMER, "/v1/places", name="gihanga", kind="commune")
    assert found["found"]["unit"] == GIHANGA
    several = await told.see(CONSUMER, "/v1/places", name="Bubanza")
    assert several["found"] is None
    assert len(several["candidates"]) > 1
    assert several["why"]
    near = await told.see(CONSUMER, "/v1/places", name="Gihangga")
    assert GIHANGA in {one["unit"] for one in near["near"]}
    assert await told.refused(CONSUMER, "/v1/places") == (400, 1005)
    assert await told.refused(CONSUMER, "/v1/places", name="x", within="nowhere") == (422, 1101)
    unit = await told.see(CONSUMER, f"/v1/places/{GIHANGA}")
    assert (unit["kind"], unit["in_force"], unit["home"][:3]) == ("commune", True, "bi:")
    assert (await told.see(CONSUMER, "/v1/places/unplaced"))["inside"] == []


async def test_what_is_in_force_for_everybody(told: Told) -> None:
    register = (await told.see(ODILE, "/v1/recipients"))["recipients"]
    assert [one["recipient"] for one in register] == sorted([POLICE, HEALTH])
    assert len((await told.see(ODILE, "/v1/recipients", unit=GIHANGA, active="true"))["recipients"]) >= 1
    assert (await told.see(ODILE, f"/v1/recipients/{HEALTH}"))["recipient_class"] == "health_facility"
    assert await told.refused(ODILE, "/v1/recipients/nobody") == (404, 1013)
    (election,) = (await told.see(CONSUMER, "/v1/elections"))["elections"]
    assert election["election"]
    assert (await told.see(CONSUMER, "/v1/gazetteer"))["division_in_force"] == "2015"
    assert "points" in (await told.see(CONSUMER, "/v1/rules"))["content"]
    committee = await told.see(BEDE, "/v1/committee")
    assert committee == {"members": 4, "required": 2, "ratify_within_hours": 48.0}


async def test_positions_say_how_far_something_has_come(told: Told) -> None:
    first = await told.see(AUDITOR, "/v1/positions/1")
    assert (first["recorded"], first["published"]) == (True, True)
    assert set(first["projected"].values()) == {True}
    ahead = await told.see(AUDITOR, f"/v1/positions/{PAST_THE_END}")
    assert (ahead["recorded"], ahead["published"], set(ahead["projected"].values())) == (False, False, {False})
    assert await told.refused(AUDITOR, "/v1/positions/0") == (400, 1005)


async def test_nobody_finds_the_head_of_the_ledger_by_asking_about_positions(told: Told) -> None:
    for caller in (ALINE, BEDE, CONSUMER):
        for position in (1, PAST_THE_END):
            assert await told.refused(caller, f"/v1/positions/{position}") == (403, 2002)
            assert await told.refused(caller, f"/v1/positions/{position}", receipt="A" * 22) == (403, 2002)
            assert await told.refused(caller, f"/v1/positions/{position}", receipt="ÿ" * 22) == (403, 2002)


async def test_alerts_are_listed_as_they_stand_on_kafka(told: Told) -> None:
    alerts = (await told.see(CONSUMER, "/v1/alerts"))["alerts"]
    assert {alert["type"] for alert in alerts} <= {"alert.issued"}
    last = int(alerts[-1]["sequence"])
    assert (await told.see(CONSUMER, "/v1/alerts", after=last - 1))["alerts"] == alerts[-1:]
    assert (await told.see(CONSUMER, "/v1/alerts", unit="bi:c2015:bukeye"))["alerts"] == []


async def test_what_has_not_changed_is_not_sent_again(told: Told) -> None:
    for path in (f"/v1/levels/{GIHANGA}", "/v1/cases", f"/v1/cases/{told.case_id}", "/v1/places/unplaced"):
        first = await told.doors.get(ANALYST, path)
        etag = {"If-None-Match": first.headers["etag"]}
        again = await told.doors.get(ANALYST, path, headers=etag)
        assert (again.status_code, again.content) == (304, b""), path


async def test_an_etag_says_nothing_of_what_is_not_shown(told: Told) -> None:
    """One that moved with whatever was folded told strangers when a report came in, and roughly where."""
    path = f"/v1/levels/{GIHANGA}"
    before = await told.doors.get(CONSUMER, path)
    report = EXAMPLES["report.receive"]
    answer = await told.doors.post(ALINE, "/v1/reports", report, wait="projected", wait_seconds=30)
    assert answer.json()["projected"]
    after = await told.doors.get(CONSUMER, path)
    assert (after.headers["etag"], after.content) == (before.headers["etag"], before.content)
    worker = await told.doors.get(ANALYST, path)
    assert worker.headers["etag"] != after.headers["etag"]


async def test_a_cursor_belongs_to_the_list_that_gave_it(told: Told) -> None:
    following = next_of(await told.doors.get(AUDITOR, "/v1/levels", limit=1))
    assert following is not None
    cursor = httpx.URL(following).params["cursor"]
    assert (await told.doors.get(AUDITOR, "/v1/levels", limit=1, cursor=cursor)).status_code == 200
    for path, params in (
        ("/v1/levels", {"unit": GIHANGA}),
        ("/v1/cases", {}),
        (f"/v1/levels/{GIHANGA}/history", {}),
    ):
        assert await told.refused(AUDITOR, path, cursor=cursor, **params) == (400, 1006)
    for cursor in ("", "e30", "WzFd", "nonsense", "ÿ", "W10", "bnVsbA"):
        assert await told.refused(AUDITOR, "/v1/levels", cursor=cursor) == (400, 1006), cursor


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/levels", {"limit": "0"}),
        ("/v1/levels", {"limit": "201"}),
        ("/v1/levels", {"limit": ["1", "2"]}),
        ("/v1/levels", {"uint": GIHANGA}),
        ("/v1/cases", {"kind": "quarrel"}),
        ("/v1/cases", {"unit": ["x" * 201]}),
        ("/v1/cases", {"unit": ["a"] * 101}),
        ("/v1/referrals", {"overdue": "maybe"}),
        ("/v1/cases/not-an-id", {}),
        ("/v1/alerts", {"after": "-1"}),
        ("/v1/positions/many", {}),
        ("/v1/alerts/stream", {"aftr": "0"}),
        ("/v1/alerts/stream", {"after": "0", "unit": GIHANGA}),
    ],
)
async def test_a_parameter_that_cannot_be_is_told_and_not_passed_over(
    told: Told, path: str, params: dict[str, Any]
) -> None:
    assert await told.refused(AUDITOR, path, **params) == (400, 1005)


async def test_what_is_not_there_is_told_as_absent(told: Told) -> None:
    assert await told.refused(AUDITOR, f"/v1/cases/{uuid4()}") == (404, 3201)
    assert await told.refused(AUDITOR, f"/v1/cases/{uuid4()}/timeline") == (404, 3201)
    assert await told.refused(AUDITOR, f"/v1/reports/{uuid4()}") == (404, 3101)
    assert await told.refused(AUDITOR, "/v1/levels/bi:c2015:nowhere") == (422, 1101)


async def test_an_area_narrows_lists_and_refuses_what_lies_outside(told: Told) -> None:
    west = Caller("gloria", ANALYST.role, ("bi:p2015:bubanza",))
    assert {row["unit"] for row in await told.pages(west, "/v1/levels", "levels")} <= {GIHANGA, MPANDA}
    assert {case["unit"] for case in await told.pages(west, "/v1/cases", "cases")} == {GIHANGA, MPANDA}
    assert (await told.see(west, "/v1/levels", unit=GISURU)) == {"levels": []}
    far = next(case for case in await told.pages(AUDITOR, "/v1/cases", "cases") if case["unit"] == GISURU)
    for path in ("", "/timeline", "/referrals", "/gaps"):
        assert await told.refused(west, f"/v1/cases/{far['case_id']}{path}") == (404, 3201), path
        assert (await told.doors.get(west, f"/v1/cases/{told.case_id}{path}")).status_code == 200
    assert await told.refused(west, f"/v1/levels/{GISURU}") == (403, 2003)
    assert await told.refused(west, f"/v1/levels/{GISURU}/history") == (403, 2003)
    nowhere = Caller("gloria", ANALYST.role, ())
    assert await told.see(nowhere, "/v1/cases") == {"cases": []}
    assert (await told.see(CUSTODIAN, f"/v1/reports/{told.report_id}"))["report_id"] == told.report_id
    assert (await told.see(FABIEN, f"/v1/cases/{told.case_id}"))["case_id"] == told.case_id
