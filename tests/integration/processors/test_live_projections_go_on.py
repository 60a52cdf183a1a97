"""What a live projection could not take, it takes later: parked where it stood, it goes on as if nothing had been."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from events.places.facts import UnitKind
from events.reference import EngineAdopted, GazetteerAdopted, RulesAdopted
from events.reporter import ReporterCoverageAssigned
from events.vocabulary import EVERY_HOME, Channel
from projections import alert_level, case_board, case_timeline, coverage, referral_board, review_queue
from projections.projection import Projection
from projections.rows import read_lines
from projections.rule_set import hash_of
from projections.taken import DERIVED, Taken
from services.processors.errors import Superseded
from tests.support.crisis import RULES, burundi, crisis
from tests.support.domain import one as one_of
from tests.support.lanes import LaneTrial, Stuck
from tests.support.pieces import first_commits_meet, pieces_of, resume_in_pieces, said_at_once

ALL = (
    alert_level.PROJECTION,
    case_board.PROJECTION,
    case_timeline.PROJECTION,
    coverage.PROJECTION,
    referral_board.PROJECTION,
    review_queue.PROJECTION,
)


SPEAKERS = (alert_level.PROJECTION, coverage.PROJECTION, referral_board.PROJECTION)


@pytest.fixture
async def told(trial: LaneTrial) -> list[Taken]:
    """Cases under way for days, under rules, with a division and engines that speak."""
    content = RULES.read_text("utf-8")
    gazetteer = GazetteerAdopted(gazetteer="g", content_hash=burundi().content_hash, content=burundi().content())
    rules = RulesAdopted(rule_set="rules", content_hash=hash_of(content), content=content)
    await trial.write("reference/gazetteer", EVERY_HOME, gazetteer)
    await trial.write("reference/rules", EVERY_HOME, rules)
    for one in SPEAKERS:
        await trial.write("reference/engines", EVERY_HOME, EngineAdopted(projection=one.name, number=one.version))
    for unit in burundi().in_force(kind=UnitKind.COMMUNE):  # who are never heard of again
        assigned = ReporterCoverageAssigned(units=(unit.unit_id,), channel=Channel.SMS, cadence_days=1)
        await trial.write(f"reporter/{one_of(unit.unit_id)}", burundi().home_of(unit.unit_id), assigned)
    await trial.append(crisis(600, living=12, per_day=80))
    return await trial.history()


async def digest(trial: LaneTrial, projection: Projection[Any, Any]) -> list[str]:
    async with trial.pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('search_path', $1, true)", projection.name)
        return [row async for row in read_lines(connection, projection.table.digests)]


@pytest.mark.parametrize("projection", ALL, ids=lambda one: one.name)
async def test_what_a_live_projection_could_not_take_it_takes_later_and_says_what_was_missing(
    trial: LaneTrial, told: list[Taken], projection: Projection[Any, Any]
) -> None:
    keyed = [one for one in told[200:] if not one.is_broadcast and projection.fold.key(one) is not None]
    stuck = Stuck(projection.fold, frozenset(one.position for one in keyed[:: max(1, len(keyed) // 10)]))
    lane = await trial.lane(replace(projection, fold=stuck))
    await trial.feed(lane, 50)
    parked = await trial.parked()
    assert len(parked) > 3

    lane, kills = await resume_in_pieces(trial, projection, events=2)
    assert kills > 3
    assert await trial.parked() == []
    await trial.append(list(crisis(800, living=12, per_day=80))[600:])  # and they go on with what comes
    await trial.feed(lane, 50)
    rows, said = (
        await digest(trial, projection),
        {row.event_id: row.body for row in await trial.rows() if row.type in DERIVED},
    )
    assert sorted(said) == said_at_once(projection, await trial.history())

    await trial.pool.execute(f'drop schema "{projection.name}" cascade; delete from projections.watermark')
    await trial.pool.execute("delete from projections.shared")
    lane = await trial.lane(projection)
    await trial.feed(lane, 1_000)  # says nothing that was not said, or it would be a contradiction
    assert lane.counts.derived == 0
    assert await digest(trial, projection) == rows
    assert bool(said) == (projection in SPEAKERS)


async def test_two_that_let_one_key_go_on_do_each_piece_once(trial: LaneTrial, told: list[Taken]) -> None:
    """The watermark stands still meanwhile, so it does not tell them apart."""
    projection = case_timeline.PROJECTION
    first = next(one.position for one in told[100:] if projection.fold.key(one) is not None)
    lane = await trial.lane(replace(projection, fold=Stuck(projection.fold, frozenset([first]))))
    await trial.feed(lane)
    [parked] = await trial.parked()
    one, other = await trial.lane(projection), await trial.lane(projection)
    with pieces_of(2), first_commits_meet(2):
        done = await asyncio.gather(
            *(each.resume("case_timeline", parked["key"]) for each in (one, other)), return_exceptions=True
        )
    assert True in done
    assert all(each is True or isinstance(each, Superseded) for each in done), done
    rows = await digest(trial, projection)
    assert len(rows) == len(set(rows))
