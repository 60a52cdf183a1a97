"""Rows that another release wrote in another form are not read: what is to be done is said in one sentence."""

from __future__ import annotations

import re
from datetime import timedelta

import orjson
import pytest

from events.reporter import ReporterCheckedIn, ReporterCoverageAssigned
from events.vocabulary import Channel
from projections import alert_level, case_board, coverage
from services.processors.errors import OtherVersion
from tests.support.domain import HOME, NOW, one
from tests.support.lanes import LaneTrial
from tests.support.levels import UNIT

ALL = (alert_level.PROJECTION, case_board.PROJECTION, coverage.PROJECTION)
WATCHES = ("alert_level.alert_level_watch", "coverage.coverage_source")


async def watched(trial: LaneTrial) -> None:
    """A reporter who covers a commune and gives a sign, folded into the rows of this release."""
    stream = f"reporter/{one('reporter')}"
    assigned = ReporterCoverageAssigned(units=(UNIT,), channel=Channel.SMS, cadence_days=1)
    await trial.write(stream, HOME, assigned)
    await trial.write(stream, HOME, ReporterCheckedIn(on=(NOW + timedelta(days=1)).date(), channel=Channel.SMS))
    await trial.feed(await trial.lane(*ALL))


async def shorten_to_the_first_form(trial: LaneTrial) -> int:
    """Whoever watches as the first form had it: reporters of five values and places of two."""
    shortened = 0
    for table in WATCHES:
        for row in await trial.pool.fetch(f"select source, body from {table}"):
            body = orjson.loads(row["body"])
            first = orjson.dumps(body[: {7: 5, 3: 2}[len(body)]]).decode()
            await trial.pool.execute(f"update {table} set body = $2 where source = $1", row["source"], first)
            shortened += 1
    return shortened


async def test_bodies_of_the_first_form_are_refused_and_both_projections_are_named(trial: LaneTrial) -> None:
    await watched(trial)
    assert await shorten_to_the_first_form(trial) == 4
    await trial.pool.execute("update projections.watermark set form = 1")
    level, cover = alert_level.PROJECTION.form, coverage.PROJECTION.form
    sentence = (
        f"the rows of alert_level were made by its version 1 in form 1 and this program has version 1 in form {level}; "
        f"the rows of coverage were made by its version 1 in form 1 and this program has version 1 in form {cover}: "
        "run `intabaza rebuild alert_level coverage`, or the release that made them"
    )
    with pytest.raises(OtherVersion, match=f"^{re.escape(sentence)}$"):
        await trial.lane(*ALL)


async def test_tables_that_an_older_form_lacks_are_not_asked_for(trial: LaneTrial) -> None:
    await watched(trial)
    await trial.pool.execute("drop table alert_level.alert_level_watch")
    await trial.pool.execute("update projections.watermark set form = 1 where place = 'alert_level'")
    with pytest.raises(OtherVersion, match="intabaza rebuild alert_level`"):
        await trial.lane(*ALL)


async def test_rows_of_what_is_no_history_are_refused_until_they_are_rebuilt(trial: LaneTrial) -> None:
    await watched(trial)
    await trial.pool.execute("update projections.watermark set form = 0 where place = 'coverage'")
    sentence = "the rows of coverage hold what is not on the log in the end: run `intabaza rebuild coverage`"
    with pytest.raises(OtherVersion, match=f"^{re.escape(sentence)}$"):
        await trial.lane(*ALL)


async def test_rows_of_this_form_go_on(trial: LaneTrial) -> None:
    await watched(trial)
    lane = await trial.lane(*ALL)
    [level] = [live for live in lane.live if live.projection.name == "alert_level"]
    assert level.mark.last_position == 2
