"""What reads answer about a moment is what they answered then, to whoever may still see it, on a real stack."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from projections.live import LIVE
from services import clock
from services.api.examples import GIHANGA, MPANDA, POLICE
from tests.support.doors import (
    ALINE,
    ANALYST,
    AUDITOR,
    BEDE,
    CHANTAL,
    CONSUMER,
    FABIEN,
    HILAIRE,
    ODILE,
    SECOND_OFFICER,
    Caller,
    Doors,
    open_doors,
)
from tests.support.story_by_http import (
    Telling,
    the_alerts,
    the_case,
    the_end,
    the_referrals,
    the_registers,
    the_reporter,
    the_reports,
)

PATIENCE_SECONDS = 120
WEST = Caller("gloria", ANALYST.role, ("bi:p2015:bubanza",))
LISTS: tuple[tuple[Caller, str, Mapping[str, str]], ...] = (
    (AUDITOR, "/v1/levels", {}),
    (AUDITOR, "/v1/levels", {"silent": "true", "limit": "200"}),
    (AUDITOR, f"/v1/levels/{GIHANGA}", {}),
    (WEST, "/v1/levels", {}),
    (CONSUMER, "/v1/levels", {}),
    (CONSUMER, "/v1/levels", {"silent": "true", "unit": "bi:p2015:bubanza"}),
    (CONSUMER, f"/v1/levels/{MPANDA}", {}),
    (ALINE, f"/v1/levels/{GIHANGA}", {}),
    (AUDITOR, "/v1/cases", {}),
    (WEST, "/v1/cases", {"kind": "violence"}),
    (AUDITOR, "/v1/queue", {"role": "reviewer"}),
    (AUDITOR, "/v1/queue", {"role": "coordinator"}),
    (BEDE, "/v1/queue", {"limit": "1"}),
    (AUDITOR, "/v1/referrals", {}),
    (WEST, "/v1/referrals", {}),
    (HILAIRE, "/v1/referrals", {}),
    (AUDITOR, "/v1/coverage", {"uncovered": "true", "limit": "200"}),
    (WEST, f"/v1/coverage/{GIHANGA}", {}),
    (AUDITOR, "/v1/cases/counts", {}),
    (WEST, "/v1/cases/counts", {}),
    (AUDITOR, "/v1/queue/counts", {}),
    (WEST, "/v1/queue/counts", {}),
    (AUDITOR, "/v1/queue/changed-evidence", {}),
    (WEST, "/v1/queue/changed-evidence", {}),
    (AUDITOR, "/v1/referrals/counts", {}),
    (WEST, "/v1/referrals/counts", {}),
    (AUDITOR, f"/v1/recipients/{POLICE}/referrals", {}),
    (WEST, f"/v1/recipients/{POLICE}/referrals", {}),
    (HILAIRE, f"/v1/recipients/{POLICE}/referrals", {}),
    (AUDITOR, "/v1/cases/ended", {}),
    (WEST, "/v1/cases/ended", {}),
    (AUDITOR, f"/v1/levels/{MPANDA}/history", {}),
    (WEST, f"/v1/levels/{MPANDA}/history", {"language": "fr"}),
    (AUDITOR, "/v1/silences", {}),
    (WEST, "/v1/silences", {"standing": "false"}),
    (AUDITOR, "/v1/gaps", {}),
    (WEST, "/v1/gaps", {}),
)
OF_THE_CASE = ("", "/referrals", "/gaps")
"""What is read of one case beside its timeline."""
FOLDED = """
select max(position) from ledger.event
having (select acknowledged from relay.progress) = max(position) and not exists (
    select from relay.partition p cross join unnest($1::text[]) as wanted (place)
    left join projections.watermark w on w.place = wanted.place and w.partition = p.partition
    where p.topic = 'events.v1' and p.last_position > coalesce(w.last_position, 0)
)
"""


@dataclass(frozen=True)
class Seen:
    """Everything that was answered while nothing happened, with the last position there was."""

    position: int
    recorded_at: datetime
    answers: list[dict[str, Any]]
    timelines: dict[str, dict[str, Any]]
    cases: dict[str, dict[str, Any]]
    referrals: dict[tuple[Caller, str], httpx.Response]


@dataclass(frozen=True)
class Lived:
    """A story, and what was seen in the course of it."""

    doors: Doors
    case_id: str
    report_id: str
    seen: list[Seen]

    async def ask(self, caller: Caller, path: str, **params: Any) -> httpx.Response:
        """Ask until the moment is folded."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (answer := await self.doors.get(caller, path, **params)).status_code == 503:
                assert answer.json()["number"] == 4009
                await asyncio.sleep(0.1)
        return answer

    async def see(self, caller: Caller, path: str, **params: Any) -> dict[str, Any]:
        """What is answered."""
        answer = await self.ask(caller, path, **params)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        told: dict[str, Any] = answer.json()
        return told


class Watcher:
    """Sees what is answered between two parts of a story."""

    def __init__(self, doors: Doors, ledger: asyncpg.Connection[asyncpg.Record]) -> None:
        self._doors, self._ledger = doors, ledger
        self.seen: list[Seen] = []

    async def quiet(self) -> int:
        """Wait until all there is was folded."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (head := await self._ledger.fetchval(FOLDED, [one.name for one in LIVE])) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        return int(head)

    async def look(self, *case_ids: str) -> None:
        """See everything, anew where something happened meanwhile."""
        while True:
            head = await self.quiet()
            answers = [(await self._doors.get(caller, path, **params)).json() for caller, path, params in LISTS]
            timelines, cases, referrals = {}, {}, {}
            for case_id in case_ids:
                for path in (f"/v1/cases/{case_id}{what}" for what in OF_THE_CASE):
                    cases[path] = (await self._doors.get(WEST, path)).json()
                made = (await self._doors.get(AUDITOR, f"/v1/cases/{case_id}/referrals")).json()["referrals"]
                for path in (f"/v1/cases/{case_id}/referrals/{one['referral_id']}" for one in made):
                    for caller in (AUDITOR, WEST, HILAIRE):
                        referrals[caller, path] = await self._doors.get(caller, path)
                timelines[case_id] = (await self._doors.get(AUDITOR, f"/v1/cases/{case_id}/timeline", limit=200)).json()
            if await self.quiet() == head:
                break
        at = await self._ledger.fetchval("select recorded_at from ledger.event where position = $1", head)
        self.seen.append(Seen(head, at, answers, timelines, cases, referrals))


@pytest.fixture(scope="module")
async def lived() -> AsyncIterator[Lived]:
    async with open_doors() as doors:
        ledger = await asyncpg.connect(doors.stack.addresses.owner_dsn)
        watcher, telling = Watcher(doors, ledger), Telling(doors)
        await the_registers(telling)
        await the_reporter(telling)
        await watcher.look()
        report_id, other_id = await the_reports(telling)
        await telling.do(ALINE, "report.receive", unit="bi:c2015:atlantis")
        await watcher.look()
        case_id = await the_case(telling, report_id, other_id)
        await watcher.look(case_id)
        await telling.do(FABIEN, "report.correct", report_id, on_behalf_of=telling.person(ALINE))
        await the_referrals(telling, case_id)
        await watcher.look(case_id)
        referral_id = await referred_once_more(telling, case_id)
        await watcher.look(case_id)
        await telling.do(HILAIRE, "case.decline", case_id, referral_id=referral_id)
        await the_end(telling, case_id, other_id)
        await watcher.look(case_id)
        await the_alerts(telling)
        await watcher.look(case_id)
        await something_extreme(telling, report_id)
        await watcher.look(case_id)
        await ledger.close()
        yield Lived(doors, case_id, report_id, watcher.seen)


async def referred_once_more(telling: Telling, case_id: str, *more: str) -> str:
    """To a recipient that has not answered yet, by a check and a consent that two people release."""
    soon, later = (clock.now() + timedelta(hours=hours) for hours in (2, 50))
    unclear = await telling.do(SECOND_OFFICER, "case.check-harm", case_id, valid_until=later.isoformat())
    released = await telling.do(CHANTAL, "case.release-check", case_id, check_id=unclear["check_id"])
    refused = await telling.do(FABIEN, "case.record-consent", case_id)
    without = await telling.do(CHANTAL, "case.act-without-consent", case_id, consent_id=refused["consent_id"])
    cited = {"check_id": released["check_id"], "consent_id": without["consent_id"]}
    due = {"acknowledge_by": soon.isoformat(), "act_by": later.isoformat(), "minimum_data": ["place", "kind", *more]}
    referral_id = str((await telling.do(ODILE, "case.refer", case_id, **cited, **due))["referral_id"])
    await telling.do(HILAIRE, "case.acknowledge", case_id, referral_id=referral_id)
    return referral_id


async def something_extreme(telling: Telling, report_id: str) -> None:
    """Of which strangers are told."""
    evidence = [{"report_id": report_id, "independent": "yes"}]
    case_id = (await telling.do(ODILE, "case.open-case", unit=MPANDA, reports=evidence))["case_id"]
    votes: dict[str, Any] = {"evidence": [report_id], "dissent": None, "recused": None, **telling.voted()}
    await telling.do(BEDE, "case.assess", case_id, severity="extreme", credibility="1", **votes)


def spoken_of(seen: Seen) -> dict[str, Any]:
    at = seen.recorded_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {"as_of_position": seen.position, "as_of_recorded_at": at}


async def test_every_list_is_what_it_was_however_moments_are_asked_about(lived: Lived) -> None:
    for seen in (*lived.seen[::-2], *lived.seen[::2]):
        for (caller, path, params), then in zip(LISTS, seen.answers, strict=True):
            named = seen.position if caller == AUDITOR else seen.recorded_at.isoformat()
            answer = await lived.ask(caller, path, as_of=named, **params)
            told = answer.json()
            if answer.status_code == 400:  # strangers, who know of alerts alone, before there was any
                assert caller in (CONSUMER, ALINE)
                assert "is before the log" in told["detail"] or "the log: it is empty" in told["detail"]
                assert not [one for one in then.get("levels", [then]) if one["level"]]
                continue
            where = {name: told.pop(name) for name in ("as_of_position", "as_of_recorded_at")}
            assert told == then, f"{path} of {caller.role} as of {seen.position}"
            assert where == spoken_of(seen) if caller == AUDITOR else where["as_of_position"] <= seen.position
        for case_id, timeline in seen.timelines.items():
            told = await lived.see(AUDITOR, f"/v1/cases/{case_id}/timeline", as_of=seen.position, limit=200)
            assert told == timeline | spoken_of(seen)
        for path, then in seen.cases.items():
            told = await lived.see(WEST, path, as_of=seen.recorded_at.isoformat())
            assert told.pop("as_of_position") <= seen.position
            assert told.pop("as_of_recorded_at") <= spoken_of(seen)["as_of_recorded_at"]
            assert told == then, f"{path} as of {seen.position}"


async def test_a_referral_is_what_it_was_and_a_recipient_is_told_no_more_than_now(lived: Lived) -> None:
    differed, hidden = False, False
    for seen in lived.seen:
        for (caller, path), then in seen.referrals.items():
            answer = await lived.ask(caller, path, as_of=seen.recorded_at.isoformat())
            assert answer.status_code == then.status_code, f"{path} of {caller.role} as of {seen.position}"
            if answer.status_code != 200:
                assert caller == HILAIRE
                assert answer.json()["number"] == then.json()["number"]
                continue
            told, due = answer.json(), then.json()
            now = (await lived.doors.get(caller, path)).json()
            assert told.pop("as_of_position") <= seen.position
            del told["as_of_recorded_at"]
            if caller == HILAIRE and now["agreed"] is None and due["agreed"] is not None:
                due["agreed"], due["note"], hidden = None, None, True
            assert told == due, f"{path} of {caller.role} as of {seen.position}"
            differed = differed or told != now
    assert differed
    assert hidden


async def test_a_referral_that_was_not_made_yet_is_as_one_that_is_not_there(lived: Lived) -> None:
    (before, path) = lived.seen[2].position, next(path for _, path in lived.seen[-1].referrals)
    for caller in (AUDITOR, HILAIRE):
        answer = await lived.ask(caller, path, as_of=before)
        assert (answer.status_code, answer.json()["number"]) == (404, 3235)
    early = await lived.ask(AUDITOR, path, as_of=lived.seen[0].position)
    assert (early.status_code, early.json()["number"]) == (404, 3201)


async def test_what_a_recipient_was_told_of_the_case_is_as_exact_as_it_was(lived: Lived) -> None:
    """What changes it names no referral; the moment that is answered is the one at which it changed."""
    doors, telling = lived.doors, Telling(lived.doors)
    ledger = await asyncpg.connect(doors.stack.addresses.owner_dsn)
    watcher = Watcher(doors, ledger)
    case_id = await another_case(telling)
    referral_id = await referred_once_more(telling, case_id, "harm")
    path, told = f"/v1/cases/{case_id}/referrals/{referral_id}", []
    for killed in (None, 3, 5):
        if killed is not None:
            await telling.do(ODILE, "case.record-harm", case_id, what="killed", min=killed, max=killed)
        await telling.do(ODILE, "case.decide", case_id)  # of which a recipient is told nothing
        position, then = await watcher.quiet(), (await doors.get(HILAIRE, path)).json()
        at = await ledger.fetchval("select recorded_at from ledger.event where position = $1", position)
        told.append((position, at, then))
    for position, at, then in told:
        answer = await lived.see(HILAIRE, path, as_of=at.isoformat())
        assert answer.pop("as_of_position") < position
        del answer["as_of_recorded_at"]
        assert answer == then
    assert len({str(then["agreed"]) for _, _, then in told}) == len(told)
    await ledger.close()


async def another_case(telling: Telling) -> str:
    report_id = (await telling.do(ALINE, "report.receive", unit=GIHANGA))["report_id"]
    await telling.do(BEDE, "report.grade", report_id)
    evidence = [{"report_id": report_id, "independent": "yes"}]
    return str((await telling.do(ODILE, "case.open-case", unit=GIHANGA, reports=evidence))["case_id"])


async def test_something_was_otherwise_at_each_of_these_moments(lived: Lived) -> None:
    """Else the comparison with what was seen would show nothing."""
    for (_, path, _), answers in zip(LISTS, zip(*(seen.answers for seen in lived.seen), strict=True), strict=True):
        if path not in (f"/v1/levels/{GIHANGA}", "/v1/gaps"):
            assert len({str(answer) for answer in answers}) > 1, path
    strangers = [seen.answers[4]["levels"] for seen in lived.seen]
    assert strangers[0] == []
    assert strangers[-1] != []


async def test_an_instant_means_what_was_recorded_by_then(lived: Lived) -> None:
    for seen in lived.seen:
        at = seen.recorded_at.isoformat()
        assert (await lived.see(AUDITOR, "/v1/cases", as_of=at))["as_of_position"] == seen.position
        before = (seen.recorded_at - timedelta(microseconds=1)).isoformat()
        told = await lived.see(AUDITOR, "/v1/cases", as_of=before)
        assert told["as_of_position"] < seen.position
        assert told["as_of_recorded_at"] < spoken_of(seen)["as_of_recorded_at"]


async def test_pages_lead_through_a_moment(lived: Lived) -> None:
    seen = lived.seen[-2]
    whole = await lived.see(AUDITOR, "/v1/levels", as_of=seen.position, silent="true", limit=200)
    first = await lived.doors.get(AUDITOR, "/v1/levels", as_of=seen.position, silent="true", limit=100)
    following = first.headers["link"].partition("<")[2].partition(">")[0]
    rest = await lived.doors.client.get(following, headers=lived.doors.authorization(AUDITOR))
    assert first.json()["levels"] + rest.json()["levels"] == whole["levels"]
    assert rest.json()["as_of_position"] == seen.position


async def test_nobody_finds_when_something_was_recorded_elsewhere_by_asking_about_moments(lived: Lived) -> None:
    """Each position is asked about: those that an answer names are of homes of who asks, or of alerts for strangers."""
    ledger = await asyncpg.connect(lived.doors.stack.addresses.owner_dsn)
    rows = await ledger.fetch("select position, home, type from ledger.event order by position")
    ours = await ledger.fetchval("select home from ledger.event where stream = $1 limit 1", f"case/{lived.case_id}")
    await ledger.close()
    homes, types = ({row["position"]: row[what] for row in rows} for what in ("home", "type"))
    timeline = f"/v1/cases/{lived.case_id}/timeline"
    named: dict[Caller, set[int]] = {WEST: set(), CONSUMER: set()}
    for position in range(rows[-1]["position"] + 20):
        for caller, path in ((WEST, timeline), (CONSUMER, f"/v1/levels/{MPANDA}")):
            answer = await lived.ask(caller, path, as_of=position)
            if answer.status_code == 200:
                named[caller].add(answer.json()["as_of_position"])
            elif answer.status_code == 400:
                named[caller].add(int(answer.json()["detail"].rpartition(" position ")[2].partition(",")[0]))
    assert {homes[one] for one in named[WEST]} == {ours, "*"}
    assert {types[one] for one in named[CONSUMER]} == {"alert.issued"}
    assert any(homes[one] not in (ours, "*") for one in homes)


async def test_a_case_or_report_of_later_is_as_one_that_is_not_there(lived: Lived) -> None:
    early = lived.seen[0].position
    case, report = f"cases/{lived.case_id}", f"reports/{lived.report_id}"
    for path, number in ((f"{case}/timeline", 3201), (case, 3201), (f"{report}/timeline", 3101)):
        answer = await lived.ask(AUDITOR, f"/v1/{path}", as_of=early)
        assert (answer.status_code, answer.json()["number"]) == (404, number)
        assert await lived.see(AUDITOR, f"/v1/{path}", as_of=lived.seen[-1].position)


async def test_nobody_sees_more_of_a_moment_than_of_now(lived: Lived) -> None:
    """A report that was corrected into another commune goes with it, also as of before."""
    doors, telling = lived.doors, Telling(lived.doors)
    received = await telling.do(ALINE, "report.receive", unit=GIHANGA)
    ledger = await asyncpg.connect(doors.stack.addresses.owner_dsn)
    watcher = Watcher(doors, ledger)
    position = await watcher.quiet()
    here, there = (Caller("bede", BEDE.role, (unit,)) for unit in (GIHANGA, MPANDA))

    async def shown(caller: Caller, **params: Any) -> bool:
        waiting = (await lived.see(caller, "/v1/queue", limit=200, **params))["waiting"]
        return received["report_id"] in {one.get("report_id") for one in waiting}

    async def counted(caller: Caller, **params: Any) -> int:
        counts = (await lived.see(caller, "/v1/queue/counts", **params))["counts"]
        return sum(one["things"] for one in counts if one["what"] == "grading")

    before = await counted(here)
    assert await counted(here, as_of=position) == before
    assert await shown(here)
    assert await shown(here, as_of=position)
    assert not await shown(there, as_of=position)
    await telling.do(BEDE, "report.correct", received["report_id"], unit=MPANDA, place_precision="commune")
    await watcher.quiet()
    assert not await shown(here)
    assert not await shown(here, as_of=position)
    assert await counted(here, as_of=position) == before - 1
    assert not await shown(there, as_of=position)
    assert await shown(BEDE, as_of=position)
    assert await shown(there)
    whole = await lived.see(here, "/v1/queue", as_of=position, limit=200)
    pages = [page async for page in paged(lived, here, "/v1/queue", as_of=str(position))]
    assert [one for page, _ in pages for one in page["waiting"]] == whole["waiting"]
    assert all(page["waiting"] for page, _ in pages[1:]), "a page that is announced has something"
    named = [base64.urlsafe_b64decode(cursor + "===") for _, cursor in pages if cursor]
    assert not any(received["report_id"].encode() in key for key in named), "a cursor names what was shown"
    await ledger.close()


async def paged(
    lived: Lived, caller: Caller, path: str, **params: str
) -> AsyncIterator[tuple[dict[str, Any], str | None]]:
    """Pages of one row, each with the cursor that leads on."""
    cursor: str | None = None
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        answer = await lived.ask(caller, path, limit="1", **params, **more)
        assert answer.status_code == 200, answer.text
        link = answer.headers.get("link", "").partition("<")[2].partition(">")[0]
        cursor = httpx.URL(link).params.get("cursor") if 'rel="next"' in answer.headers.get("link", "") else None
        yield answer.json(), cursor
        if cursor is None:
            return


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("yesterday", "as_of: 'yesterday' is no moment: expected a position on the log, or an instant with its offset"),
        ("2015-05-13T12:00:00", "is no moment: expected a position on the log"),
        ("2015-05-13T12:00:00 02:00", "is no moment"),
        ("-1", "is no moment"),
        ("0", "as_of: Position 0 is before the log: it begins with position "),
        ("2015-05-13T12:00:00+02:00", "2015-05-13T10:00:00.000000Z is before the log: it begins with position "),
        ("999999999", "Position 999999999 is beyond the log: it ends with position "),
        ("2999-01-01T00:00:00Z", "2999-01-01T00:00:00.000000Z is beyond the log: it ends with position "),
    ],
)
async def test_a_moment_that_cannot_be_is_told(lived: Lived, named: str, said: str) -> None:
    for caller, path in ((AUDITOR, "/v1/cases"), (CONSUMER, "/v1/levels"), (AUDITOR, f"/v1/levels/{GIHANGA}")):
        refused = await lived.doors.get(caller, path, as_of=named)
        assert (refused.status_code, refused.json()["number"]) == (400, 1005)
        assert said in refused.json()["detail"]


async def test_now_is_a_moment_too_and_who_may_not_read_may_not_ask_about_then(lived: Lived) -> None:
    told = await lived.see(AUDITOR, "/v1/cases", as_of=clock.now().isoformat())
    assert told["as_of_position"] >= lived.seen[-1].position
    for caller, path in ((ALINE, "/v1/cases"), (CONSUMER, "/v1/queue"), (CONSUMER, "/v1/referrals")):
        refused = await lived.doors.get(caller, path, as_of=1)
        assert (refused.status_code, refused.json()["number"]) == (403, 2002)


async def test_what_stood_can_be_dropped_and_is_folded_again(lived: Lived) -> None:
    seen, stack = lived.seen[2], lived.doors.stack
    answer = await asyncio.to_thread(stack.command, "forget-moments")
    assert answer.returncode == 0, answer.stderr
    assert "dropped" in answer.stdout
    again = await asyncio.to_thread(stack.command, "forget-moments")
    assert again.stdout.startswith("0 ")
    assert await lived.see(AUDITOR, "/v1/cases", as_of=seen.position) == seen.answers[8] | spoken_of(seen)


async def test_the_command_line_shows_and_exports_the_same_moment(lived: Lived, tmp_path: Any) -> None:
    seen, stack = lived.seen[3], lived.doors.stack
    shown = await asyncio.to_thread(stack.command, "replay", "case_board", "--as-of", str(seen.position))
    assert shown.returncode == 0, shown.stderr
    assert f"case/{lived.case_id}" in shown.stdout
    assert f"This is as of position {seen.position}, recorded {spoken_of(seen)['as_of_recorded_at']}." in shown.stdout
    file = tmp_path / "queue.csv"
    words = ("replay", "review_queue", "--as-of", seen.recorded_at.isoformat(), "--diff", "--export", str(file))
    compared = await asyncio.to_thread(stack.command, *words)
    assert compared.returncode == 1
    assert "rows differ between position" in compared.stderr
    assert file.read_text().startswith("as_of_position,whom,what,stream")
    assert f" rows in {file}" in compared.stdout
    (tmp_path / "full.csv.part").symlink_to("/dev/full")
    to_the_full = ("replay", "review_queue", "--as-of", str(seen.position), "--export", str(tmp_path / "full.csv"))
    full = await asyncio.to_thread(stack.command, *to_the_full)
    assert (full.returncode, f" rows in {tmp_path}" in full.stdout) == (1, False), "of a file that is not there"
    assert f"{tmp_path / 'full.csv'} cannot be written (No space left on device)" in full.stderr
    for named, status in (("yesterday", 2), ("0", 3), ("999999999", 4), ("2999-01-01T00:00:00Z", 4)):
        refused = await asyncio.to_thread(stack.command, "replay", "coverage", "--as-of", named)
        assert refused.returncode == status
