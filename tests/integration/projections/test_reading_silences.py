"""A silence that began has its end in its row, whatever else was read with it."""

from __future__ import annotations

from datetime import timedelta

from events.alert import AlertSilenced, AlertSilenceEnded, SilenceReason
from projections.silences import PROJECTION
from projections.silences.table import SQL
from tests.integration.projections.standing import Stand
from tests.support.domain import NOW, one
from tests.support.written import Written

UNITS = {"first": "bi:c2015:gihanga", "second": "bi:c2015:mpanda", "late": "bi:c2015:bubanza"}


def begin(log: Written, name: str, hours: int = 7) -> None:
    unit = UNITS[name]
    silenced = AlertSilenced(
        silence_id=one(name),
        unit=unit,
        unit_name=name,
        up_to_level=2,
        until=NOW + timedelta(hours=hours),
        reason=SilenceReason.ANSWERED_ALREADY,
    )
    log.write(f"alert/{unit}", silenced)


def end(log: Written, name: str) -> None:
    unit = UNITS[name]
    log.write(f"alert/{unit}", AlertSilenceEnded(silence_id=one(name), unit=unit))


async def test_one_that_began_and_ended_in_a_page_that_ends_another_first(stand: Stand) -> None:
    """Ends are written together: the row of one that began in the same page is there before."""
    standing, log = await stand(PROJECTION, SQL), Written()
    begin(log, "first")
    await standing.keep(log)
    end(log, "first")
    begin(log, "second")
    end(log, "second")
    begin(log, "late", hours=-1)
    await standing.keep(log)
    kept = {row["silence_id"]: row["how"] for row in await standing.ask("silences", None, None, None, None, 10)}
    assert kept == {str(one("first")): "ended", str(one("second")): "ended", str(one("late")): "expired"}
