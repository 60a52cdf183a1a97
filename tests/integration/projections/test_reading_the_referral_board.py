"""The referral board as it is read: by recipient and state, what is due next first, and the gaps that stand open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from events.case.events import CaseReferralAccepted, CaseReferralAcknowledged, CaseReferralDeclined
from events.reference import ClockTicked, TickReason
from events.vocabulary import ReasonDeclined
from projections.referral_board import PROJECTION
from projections.referral_board.table import SQL
from tests.integration.projections.standing import Stand, Standing
from tests.support.domain import (
    CASE,
    CLINIC,
    NOW,
    OTHER_CASE,
    OTHER_PLACE,
    PLACE,
    POLICE,
    SOON,
    one,
    opened,
    provisional,
    referred,
)
from tests.support.written import Written

DECLINED = CaseReferralDeclined(referral_id=one("declined"), reason=ReasonDeclined.UNSAFE)

COUNTED_ANEW = """
select recipient, state, outcome, count(*), count(overdue_since)
from referral_board where $1::text[] is null or unit = any ($1)
group by recipient, state, outcome order by recipient, state, outcome
"""


def asked(
    *after: Any, recipients: Any = None, states: Any = None, units: Any = None, overdue: bool = False, most: int = 50
) -> tuple[Any, ...]:
    return (recipients, states, units, overdue, *(after or (None, None, None)), most)


def gaps_asked(
    *after: Any, units: Any = None, awaited: Any = None, rungs: Any = None, most: int = 50
) -> tuple[Any, ...]:
    return (units, awaited, rungs, *(after or (None,) * 4), most)


async def board(standing: Standing, **of: Any) -> list[Any]:
    return [row["referral_id"] for row in await standing.ask("board", *asked(**of))]


def three_referrals() -> Written:
    log = Written().write(f"case/{CASE}", opened(), referred("later"), referred("declined"), DECLINED)
    log.write(f"case/{OTHER_CASE}", opened(case_id=OTHER_CASE, place=OTHER_PLACE))
    soon = NOW + timedelta(hours=1)
    log.write(f"case/{OTHER_CASE}", referred("sooner", recipient=POLICE, acknowledge_by=soon))
    return log.write(f"case/{OTHER_CASE}", CaseReferralAccepted(referral_id=one("nobody knows")))


def tick(log: Written) -> Written:
    return log.write("reference/clock", ClockTicked(nominal=log.now, reason=TickReason.DUE))


async def test_open_referrals_are_read_by_what_is_due_next(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    await standing.keep(three_referrals())

    assert await board(standing) == [one("sooner"), one("later")]
    assert await board(standing, recipients=[CLINIC]) == [one("later")]
    assert await board(standing, units=[OTHER_PLACE.unit]) == [one("sooner")]
    assert await board(standing, states=["acknowledged"]) == []
    everything = await standing.ask("of_recipient", CLINIC, None, None, None, 50)
    assert {(row["referral_id"], row["state"]) for row in everything} == {
        (one("later"), "referred"),
        (one("declined"), "declined"),
    }
    assert [row["referral_id"] for row in await standing.ask("of_case", f"case/{OTHER_CASE}")] == [one("sooner")]


async def test_overdue_referrals_are_counted_and_read_apart(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = tick(three_referrals().after(hours=2))
    await standing.keep(log)

    assert await board(standing, overdue=True) == [one("sooner")]
    counts = {
        (row["recipient"], row["state"]): (row["referrals"], row["overdue"])
        for row in await standing.ask("counts", None)
    }
    assert counts == {(CLINIC, "referred"): (1, 0), (CLINIC, "declined"): (1, 0), (POLICE, "referred"): (1, 1)}


async def test_counts_are_kept_as_referrals_move_and_no_row_of_the_board_is_counted(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)

    async def keep(log: Written) -> None:
        await standing.keep(log)
        for units in (None, [PLACE.unit], [OTHER_PLACE.unit]):
            kept = [tuple(row) for row in await standing.ask("counts", units)]
            assert kept == [tuple(row) for row in await standing.connection.fetch(COUNTED_ANEW, units)]

    log = three_referrals()
    await keep(log)
    await keep(tick(log.after(hours=2)))
    await keep(log.write(f"case/{OTHER_CASE}", CaseReferralAcknowledged(referral_id=one("sooner"))))
    await keep(log.write(f"case/{OTHER_CASE}", CaseReferralAccepted(referral_id=one("sooner"))))
    assert [tuple(row) for row in await standing.ask("counts", [OTHER_PLACE.unit])] == [
        (POLICE, "accepted", None, 1, 0)
    ]
    plan = await standing.plan("counts", None)
    assert "referral_board_count" in plan
    assert "referral_board " not in plan


async def test_gaps_stand_open_until_they_are_answered_and_are_kept(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written().write(f"case/{CASE}", provisional(), referred(acknowledge_by=SOON - timedelta(hours=1)))
    await standing.keep(tick(log.after(hours=9)))

    rows = await standing.ask("gaps", *gaps_asked())
    assert [(row["awaited"], row["due"], row["unit"]) for row in rows] == [
        ("acknowledgement", SOON - timedelta(hours=1), PLACE.unit),
        ("ratification", SOON, PLACE.unit),
    ]
    assert [row["awaited"] for row in await standing.ask("gaps", *gaps_asked(awaited=["ratification"]))] == [
        "ratification"
    ]
    assert await standing.ask("gaps", *gaps_asked(units=[OTHER_PLACE.unit])) == []

    acknowledged = CaseReferralAcknowledged(referral_id=one("referral"))
    await standing.keep(log.after(hours=1).write(f"case/{CASE}", acknowledged))
    assert [row["awaited"] for row in await standing.ask("gaps", *gaps_asked())] == ["ratification"]
    (first, second) = await standing.ask("gaps_of_case", f"case/{CASE}")
    assert (first["answered_at"], first["answered_by"]) == (
        NOW + timedelta(hours=10),
        "case.referral_acknowledged",
    )
    assert (second["awaited"], second["answered_at"]) == ("ratification", None)


async def test_what_is_due_is_found_again_in_the_partition_that_wrote_it_spelt_as_on_the_wire(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    await standing.keep(three_referrals())

    dues = await PROJECTION.table.dues(standing.connection, 0)
    assert set(dues) == {
        ("2026-05-20T12:30:00.000000Z", f"case/{CASE}"),
        ("2026-05-20T07:30:00.000000Z", f"case/{OTHER_CASE}"),
    }
    assert list(await PROJECTION.table.dues(standing.connection, 1)) == []


async def test_pages_follow_each_other_without_a_gap_or_a_repeat(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written()
    for number in range(30):
        due = NOW + timedelta(hours=1 + number % 4)
        log.write(f"case/{one(f'case {number}')}", opened(), referred(f"referral {number}", acknowledge_by=due))
    await standing.keep(tick(log.after(hours=9)))

    paged = await standing.pages(
        lambda *after: asked(*after, most=7), "board", lambda row: (row["deadline"], row["stream"], row["referral_id"])
    )
    assert [row["referral_id"] for row in paged] == await board(standing)
    assert len({row["referral_id"] for row in paged}) == 30
    of_clinic = await standing.pages(
        lambda *after: (CLINIC, *(after or (None, None, None)), 7),
        "of_recipient",
        lambda row: (row["deadline"], row["stream"], row["referral_id"]),
    )
    assert len({row["referral_id"] for row in of_clinic}) == len(of_clinic) == 30
    gaps = await standing.pages(
        lambda *after: gaps_asked(*after, most=7),
        "gaps",
        lambda row: (row["due"], row["stream"], row["awaited"], row["subject"]),
    )
    assert len({row["stream"] for row in gaps}) == len(gaps) == 30


async def test_the_board_reads_its_indexes(stand: Stand) -> None:
    standing = await stand(PROJECTION, SQL)
    log = Written()
    for number in range(2_000):
        recipient = CLINIC if number % 100 else POLICE
        stream = f"case/{one(f'case {number}')}"
        log.write(stream, opened(), referred(f"referral {number}", recipient=recipient))
        if number % 10:
            declined = CaseReferralDeclined(referral_id=one(f"referral {number}"), reason=ReasonDeclined.UNSAFE)
            log.write(stream, declined)
    await standing.keep(tick(log.after(hours=9)))

    assert "referral_board_in_order" in await standing.plan("board", *asked(most=20))
    assert "referral_board_by_recipient" in await standing.plan("of_recipient", POLICE, None, None, None, 20)
    assert "referral_board_gap_open" in await standing.plan("gaps", *gaps_asked(most=20))
    assert "referral_board_case_due" in await standing.plan("dues", 3)
