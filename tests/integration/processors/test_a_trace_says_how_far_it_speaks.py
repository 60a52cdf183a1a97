"""A trace on a real ledger lists what it would from the events alone, and says where it may lack something."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from events.reference import EngineAdopted, GazetteerAdopted, RulesAdopted
from events.vocabulary import EVERY_HOME
from projections import alert_level, case_timeline
from projections.rule_set import hash_of
from services.local.postgres import PostgresServer
from services.trace.events import ALERT, LEVEL, Told
from services.trace.reading import Reader, TooMuch
from services.trace.sources import Sources
from services.trace.tracing import Trace, Tracing
from tests.support.crisis import RULES, burundi, crisis
from tests.support.lanes import LaneTrial, Stuck
from tests.support.traced import ReaderOfALog

EVENTS = 400
SUBSCRIBER = UUID(int=5)


@pytest.fixture
async def told(trial: LaneTrial) -> list[Any]:
    """Cases under way for days, under rules, with a division and engines that speak."""
    content = RULES.read_text("utf-8")
    gazetteer = GazetteerAdopted(gazetteer="g", content_hash=burundi().content_hash, content=burundi().content())
    rules = RulesAdopted(rule_set="rules", content_hash=hash_of(content), content=content)
    await trial.write("reference/gazetteer", EVERY_HOME, gazetteer)
    await trial.write("reference/rules", EVERY_HOME, rules)
    engine = alert_level.PROJECTION
    await trial.write("reference/engines", EVERY_HOME, EngineAdopted(projection=engine.name, number=engine.version))
    made = list(crisis(EVENTS + 100, living=12, per_day=80))
    await trial.append(made[:EVENTS])
    return made


@pytest.fixture
async def app(postgres: PostgresServer, fresh_database: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(postgres.dsn(fresh_database, "intabaza_app"))
    yield connection
    await connection.close()


async def trace(app: asyncpg.Connection[asyncpg.Record], position: int, most: int = 20_000) -> Trace:
    async with app.transaction(readonly=True, isolation="repeatable_read"):
        return await Tracing(await Reader.begin(app.fetch, most), partitions=1).trace(position)


def keys(trace: Trace) -> dict[str, Any]:
    lists = {"resting": trace.resting, "led_to": trace.led_to}
    return {
        "rests_on": [one.key for one in trace.rests_on],
        **{name: {kind: [one.key for one in each] for kind, each in of.events.items()} for name, of in lists.items()},
    }


def because(sources: Sources) -> dict[str, str]:
    named = {"links": sources.links, "levels": sources.levels, "messages": sources.messages}
    return {name: " ".join(one.because) for name, one in named.items() if not one.complete}


async def test_it_lists_what_the_events_alone_say(
    trial: LaneTrial, told: list[Any], app: asyncpg.Connection[asyncpg.Record]
) -> None:
    await trial.feed(await trial.lane(alert_level.PROJECTION, case_timeline.PROJECTION), 50)
    events = [Told.of(row) for row in await trial.rows()]
    of_each: dict[str, list[Told]] = {}
    for one in events:
        if one.row.stream.split("/")[0] in ("report", "case", "level", "alert"):
            of_each.setdefault(one.row.type, []).append(one)
    rested = 0
    for one in (one for each in of_each.values() for one in each[-3:]):
        found = await trace(app, one.row.position)
        expected = await Tracing(ReaderOfALog(events), partitions=1).trace(one.row.position)
        assert keys(found) == keys(expected), one.row.type
        assert found.sources.complete
        rested += len(found.resting.events["level_changes"])
    assert rested > 5
    assert {LEVEL, ALERT} <= of_each.keys()


async def test_it_is_complete_only_where_nothing_of_its_homes_waits_to_be_taken_in(
    trial: LaneTrial, told: list[Any], app: asyncpg.Connection[asyncpg.Record]
) -> None:
    lane = await trial.lane(alert_level.PROJECTION, case_timeline.PROJECTION)
    await trial.feed(lane, 50)
    rows = await trial.rows()
    case = next(row for row in reversed(rows) if row.stream.startswith("case/"))
    elsewhere = next(row for row in reversed(rows) if row.stream.startswith("case/") and row.home != case.home)
    assert because((await trace(app, case.position)).sources) == {}

    next_of_it = next(one for one in told[EVENTS:] if one.home == case.home and one.stream.startswith("case/"))
    until = told.index(next_of_it, EVENTS) + 1
    await trial.append([one for one in told[EVENTS:until] if one.home == case.home])
    waiting = because((await trace(app, case.position)).sources)
    assert waiting.keys() == {"links", "levels"}
    assert "is not taken in yet" in waiting["levels"]
    assert because((await trace(app, elsewhere.position)).sources) == {}

    await trial.feed(lane, 50)
    assert because((await trace(app, case.position)).sources) == {}


@pytest.mark.parametrize(
    ("projection", "lacking"), [(alert_level.PROJECTION, "levels"), (case_timeline.PROJECTION, "links")]
)
async def test_what_is_parked_is_said(
    trial: LaneTrial, told: list[Any], app: asyncpg.Connection[asyncpg.Record], projection: Any, lacking: str
) -> None:
    case = next(row for row in reversed(await trial.rows()) if row.type == "case.assessed")
    stuck = replace(projection, fold=Stuck(projection.fold, frozenset({case.position})))
    healthy = next(one for one in (alert_level.PROJECTION, case_timeline.PROJECTION) if one.name != projection.name)
    await trial.feed(await trial.lane(stuck, healthy), 50)
    sources = (await trace(app, case.position)).sources
    assert because(sources).keys() == {lacking}
    assert f"from position {case.position} on is parked" in because(sources)[lacking]
    assert min(sources.links.up_to, sources.levels.up_to) == case.position - 1
    elsewhere = next(row for row in await trial.rows() if row.stream.startswith("case/") and row.home != case.home)
    assert because((await trace(app, elsewhere.position)).sources) == {}


async def test_who_may_still_be_told_of_an_alert_is_said(
    trial: LaneTrial, told: list[Any], app: asyncpg.Connection[asyncpg.Record]
) -> None:
    await trial.feed(await trial.lane(alert_level.PROJECTION, case_timeline.PROJECTION), 50)
    alert = next(row for row in reversed(await trial.rows()) if row.type == ALERT)
    assert because((await trace(app, alert.position)).sources) == {}
    await trial.owner.execute(
        "insert into notifier.subscriber (subscriber_id, url, modes, position) values ($1, 'u', '{actual}', $2)",
        SUBSCRIBER,
        alert.position - 1,
    )
    sources = (await trace(app, alert.position)).sources
    assert because(sources).keys() == {"messages"}
    assert sources.messages.up_to == alert.position - 1
    await trial.owner.execute(
        "insert into notifier.delivery (subscriber_id, resends, position, event_id, attempts, first_at, last_at)"
        " values ($1, 0, $2, $3, 1, now(), now())",
        SUBSCRIBER,
        alert.position,
        alert.event_id,
    )
    found = await trace(app, alert.position)
    assert because(found.sources) == {}
    assert [one["subscriber_id"] for one in found.resting.messages] == [SUBSCRIBER]


async def test_what_one_answer_may_not_hold_is_refused(
    trial: LaneTrial, told: list[Any], app: asyncpg.Connection[asyncpg.Record]
) -> None:
    await trial.feed(await trial.lane(alert_level.PROJECTION, case_timeline.PROJECTION), 50)
    case = next(row for row in reversed(await trial.rows()) if row.stream.startswith("case/"))
    with pytest.raises(TooMuch, match="More than 5 events would have to be read"):
        await trace(app, case.position, most=5)
