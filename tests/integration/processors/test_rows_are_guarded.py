"""Behind the API's check: its reading role sees the rows of the units that its transaction names, whatever is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from events.reference import RulesAdopted
from events.report.events import Carried, ReportSuperseded
from events.reporter import ReporterCoverageAssigned
from events.vocabulary import EVERY_HOME, Channel, Credibility, Reliability
from projections.alert_level.table import SQL as LEVELS
from projections.case_board.table import SQL as BOARD
from projections.case_timeline.table import SQL as TIMELINE
from projections.coverage.table import SQL as COVERAGE
from projections.live import LIVE
from projections.referral_board.table import SQL as REFERRALS
from projections.rule_set import hash_of
from services.api.country import ALL, NOTHING, Sight
from services.api.projections import Projections
from services.local.postgres import PostgresServer
from services.processors.making import make_places
from services.processors.rebuild import shadow_of, swap
from services.processors.refold import clear_place
from tests.support.domain import (
    CASE,
    CLINIC,
    HOME,
    NOW,
    OTHER_CASE,
    OTHER_HOME,
    OTHER_PLACE,
    PLACE,
    POLICE,
    REPORT,
    agreed,
    checked,
    linked,
    one,
    opened,
    received,
    referred,
)
from tests.support.lanes import LaneTrial
from tests.support.levels import FIRST_RULES
from tests.support.written import sealed

HERE = Sight(frozenset({PLACE.unit}), homes=frozenset({HOME}))
THERE = Sight(frozenset({OTHER_PLACE.unit}), homes=frozenset({OTHER_HOME}))
THE_CLINIC = Sight(frozenset(), recipient=CLINIC)
UNPLACED = one("first received")
OTHER_REPORT = one("other report")
CASE_STREAM, OTHER_STREAM = f"case/{CASE}", f"case/{OTHER_CASE}"
TABLES = "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname = any ($1::text[]) order by 1"


@pytest.fixture
async def folded(trial: LaneTrial) -> LaneTrial:
    """Two communes of two homes, with a case, a report and a referral each; one report came in unplaced."""
    await trial.at(NOW)
    carried = Carried(
        supersedes=UNPLACED,
        first_received_as=UNPLACED,
        round=1,
        reliability=Reliability.F,
        credibility=Credibility.SIX,
    )
    again = received(carried=carried)
    story: list[tuple[str, str, Any]] = [
        (f"report/{UNPLACED}", "unplaced", received(report_id=UNPLACED)),
        (f"report/{UNPLACED}", "unplaced", ReportSuperseded(received_again_as=REPORT, home=HOME)),
        (f"report/{REPORT}", HOME, again),
        (CASE_STREAM, HOME, opened()),
        (CASE_STREAM, HOME, linked()),
        *((CASE_STREAM, HOME, event) for event in (checked(), agreed(), referred(recipient=CLINIC))),
        (f"report/{OTHER_REPORT}", OTHER_HOME, received(report_id=OTHER_REPORT, place=OTHER_PLACE)),
        (OTHER_STREAM, OTHER_HOME, opened(case_id=OTHER_CASE, place=OTHER_PLACE)),
        (OTHER_STREAM, OTHER_HOME, linked(OTHER_REPORT)),
        (OTHER_STREAM, OTHER_HOME, referred("other referral", recipient=POLICE)),
        (f"reporter/{one('here')}", HOME, _watches(PLACE.unit)),
        (f"reporter/{one('there')}", OTHER_HOME, _watches(OTHER_PLACE.unit)),
    ]
    for stream, home, event in story:
        await trial.write(stream, home, sealed(event))
    rules = RulesAdopted(rule_set="rules", content_hash=hash_of(FIRST_RULES), content=FIRST_RULES)
    await trial.write("reference/rules", EVERY_HOME, rules)
    await trial.feed(await trial.lane(*LIVE))
    return trial


def _watches(unit: str) -> ReporterCoverageAssigned:
    return ReporterCoverageAssigned(units=(unit,), channel=Channel.SMS, cadence_days=7)


@pytest.fixture
async def reads(postgres: PostgresServer, fresh_database: str, folded: LaneTrial) -> AsyncIterator[Projections]:
    projections = await Projections.connect(postgres.dsn(fresh_database, "intabaza_app"), LIVE)
    yield projections
    await projections.close()


@pytest.fixture
async def app(postgres: PostgresServer, fresh_database: str, folded: LaneTrial) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(postgres.dsn(fresh_database, "intabaza_app"))
    yield connection
    await connection.close()


async def tables(connection: Any) -> list[str]:
    return [row[0] for row in await connection.fetch(TABLES, [each.name for each in LIVE])]


async def counts(connection: Any) -> dict[str, int]:
    return {table: await connection.fetchval(f"select count(*) from {table}") for table in await tables(connection)}


async def test_who_does_not_say_whose_eyes_they_read_with_sees_nothing(app: Any, folded: LaneTrial) -> None:
    assert set((await counts(app)).values()) == {0}
    assert any((await counts(folded.pool)).values())
    async with app.transaction():
        await app.execute("select set_config('intabaza.units', '*', true)")
        assert any((await counts(app)).values())
    assert set((await counts(app)).values()) == {0}, "it ended with its transaction"


async def test_the_queries_of_the_api_asked_for_another_unit_find_nothing_of_it(reads: Projections) -> None:
    other = [OTHER_PLACE.unit]
    first = (None, None, None)

    async def seen(sight: Sight) -> dict[str, int]:
        asked: dict[str, tuple[str, tuple[Any, ...]]] = {
            "level": (LEVELS["now"], (other,)),
            "board": (BOARD["board"], (other, None, None, None, *first, 10)),
            "found": (BOARD["found"], (OTHER_STREAM,)),
            "timeline": (TIMELINE["timeline"], (OTHER_STREAM, 0, 100, None)),
            "referrals": (REFERRALS["board"], (None, None, other, False, *first, 10)),
            "of_case": (REFERRALS["of_case"], (OTHER_STREAM,)),
            "coverage": (COVERAGE["units"], (other, None, None, None, 10)),
            "channels": (COVERAGE["channels"], (other,)),
        }
        found: dict[str, int] = {}
        for name, (query, arguments) in asked.items():
            found[name] = len(await reads.read(sight, query, *arguments))
        return found

    for sight in (HERE, NOTHING, THE_CLINIC):
        assert set((await seen(sight)).values()) == {0}, sight
    for sight in (THERE, ALL):
        assert 0 not in (await seen(sight)).values(), sight


async def test_unfiltered_queries_find_the_rows_of_the_units_and_no_others(reads: Projections) -> None:
    for sight, wanted in ((HERE, {PLACE.unit}), (THERE, {OTHER_PLACE.unit}), (ALL, {PLACE.unit, OTHER_PLACE.unit})):
        levels = await reads.read(sight, LEVELS["now"], None)
        assert {row["unit"] for row in levels} >= wanted
        assert sight is ALL or {row["unit"] for row in levels} == wanted
        for table in ("case_board", "referral_board", "referral_board_count", "coverage_unit", "coverage_channel"):
            rows = await reads.read(sight, f"select unit from {table}")
            assert {row["unit"] for row in rows} == wanted
        bodies = "select body ->> 'unit' as unit from review_queue_case"
        assert {row["unit"] for row in (await reads.read(sight, bodies))} == wanted


async def test_who_watches_where_is_seen_by_no_reader_of_the_api(app: Any, folded: LaneTrial) -> None:
    async with app.transaction():
        await app.execute("select set_config('intabaza.units', '*', true)")
        seen = await counts(app)
    for table in ("coverage.coverage_source", "alert_level.alert_level_watch"):
        assert await folded.pool.fetchval(f"select count(*) from {table}") > 1
        assert seen[table] == 0


async def test_a_recipient_sees_its_own_referrals_and_no_row_of_anything_else(reads: Projections) -> None:
    for table in ("referral_board", "referral_board_count"):
        rows = await reads.read(THE_CLINIC, f"select recipient from {table}")
        assert [row["recipient"] for row in rows] == [CLINIC]
    of_others = ("case_board", "case_timeline_event", "alert_level_unit", "referral_board_gap", "review_queue")
    for table in (*of_others, "coverage_unit", "coverage_channel"):
        assert (await reads.read(THE_CLINIC, f"select 1 from {table}")) == []


async def test_a_timeline_is_whole_for_who_sees_its_home_also_what_a_report_was_before(reads: Projections) -> None:
    asked = TIMELINE["timeline"], CASE_STREAM, 0, 100, None
    for_all = [row["position"] for row in (await reads.read(ALL, *asked))]
    here = [row["position"] for row in (await reads.read(HERE, *asked))]
    assert here == for_all == list(range(1, 9))


async def test_one_readers_eyes_are_not_anothers_on_the_same_connection(reads: Projections) -> None:
    for _ in range(20):
        for sight, many in ((HERE, 1), (THERE, 1), (NOTHING, 0), (ALL, 2)):
            assert len(await reads.read(sight, "select 1 from case_board")) == many
    assert await reads.fetch("select 1 from case_board") == []


async def test_every_table_is_guarded_and_the_reading_role_owns_and_writes_none(app: Any, folded: LaneTrial) -> None:
    rows = await app.fetch(
        "select relname, relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner) as owner from pg_class"
        " where relkind = 'r' and relnamespace::regnamespace::text = any ($1)",
        [each.name for each in LIVE],
    )
    assert rows
    assert all(row["relrowsecurity"] for row in rows)
    free = {row["relname"] for row in rows if not row["relforcerowsecurity"]}
    assert free == {table for each in LIVE for table in each.copied} == {"case_timeline_event", "case_timeline_link"}
    assert {row["owner"] for row in rows} == {"intabaza_projector"}
    roles = await app.fetch(
        "select rolname from pg_roles where rolname like 'intabaza%' and (rolbypassrls or rolsuper)"
    )
    assert roles == []
    for table in await tables(app):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(f"delete from {table}")


async def test_a_swap_goes_unnoticed_by_who_reads_and_what_was_swapped_in_is_guarded_too(
    app: Any, folded: LaneTrial, reads: Projections
) -> None:
    (board,) = (each for each in LIVE if each.name == "case_board")
    before = await counts(folded.pool)
    asked = BOARD["board"], None, None, None, None, None, None, None, 10
    first = await reads.read(HERE, *asked)
    for _ in range(2):
        await clear_place(folded.pool, board, shadow_of(board))
        async with folded.pool.acquire() as connection, connection.transaction():
            for table in ("case_board", "case_board_fallen"):
                await connection.execute(f"insert into case_board_shadow.{table} select * from case_board.{table}")
        await swap(folded.pool, board)
        assert await counts(folded.pool) == before
        assert set((await counts(app)).values()) == {0}
        again = await reads.read(HERE, *asked)
        assert again == first
        assert len(again) == 1


async def test_a_place_from_before_there_were_guards_is_guarded_at_the_next_start(folded: LaneTrial, app: Any) -> None:
    (board,) = (one for one in LIVE if one.name == "case_board")
    async with folded.pool.acquire() as connection, connection.transaction():
        for table in ("case_board", "case_board_fallen"):
            await connection.execute(f"alter table case_board.{table} disable row level security")
            for policy in ("written", "audited", "seen"):
                await connection.execute(f"drop policy {policy} on case_board.{table}")
    assert await app.fetchval("select count(*) from case_board.case_board") == 2
    await make_places(folded.pool, [board])
    assert await app.fetchval("select count(*) from case_board.case_board") == 0


async def test_auditors_see_every_row(folded: LaneTrial, postgres: PostgresServer, fresh_database: str) -> None:
    owner = await asyncpg.connect(postgres.dsn(fresh_database))
    try:
        await owner.execute("set role intabaza_reader")
        assert await counts(owner) == await counts(folded.pool)
    finally:
        await owner.close()
