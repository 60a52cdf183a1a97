"""What stood at a moment, for reads that take `as_of`: where it stands, how it is said, and what of it may be seen.

Whoever asks sees no more than they may see now: rows of then, of records that they still see.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any

import asyncpg

from events.vocabulary import wire_time
from projections.projection import Projection
from services.api.access import Reach
from services.api.country import NOTHING
from services.api.problems import BAD_PARAMETER, Refused
from services.api.reading import Asked, Parameter
from services.api.reads.sql import READS_SQL
from services.moments import Moment, MomentRefused, read_moment, refuse_outside
from services.past.asking import NotYet

PUBLISHED_SECONDS = 5.0
"""How long a moment that is not on Kafka yet is waited for."""

AS_OF = Parameter(
    "as_of",
    "As it stood at this position of the log, or by what was recorded until this instant (with its offset from UTC, "
    "its + written as %2B); left out, as it stands. `as_of_position` says up to which position the answer speaks.",
    {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "format": "date-time"}]},
)


@dataclass(frozen=True, slots=True)
class Then:
    """The moment that is asked about; None is now."""

    moment: Moment | None = None
    place: str | None = None

    @property
    def position(self) -> int | None:
        return None if self.moment is None else self.moment.position

    def spoken_of(self) -> dict[str, Any]:
        """How an answer says up to where it speaks."""
        if self.moment is None:
            return {}
        at = wire_time(self.moment.recorded_at)
        return {"as_of_position": self.moment.position, "as_of_recorded_at": at}


NOW = Then()
Fetch = Callable[[Sequence[Any]], Awaitable[Sequence[asyncpg.Record]]]
FAR = 2**62
"""A position that no ledger reaches."""


async def then(asked: Asked, projection: Projection[Any, Any], too: Sequence[int] = ()) -> Then:
    """What `as_of` names, with where that projection stood; raises Refused or NotYet.

    Of positions `too` they know who see no more than what was referred to them: what they were told changed there.
    """
    at = await then_recorded(asked, too)
    if at.moment is None:
        return NOW
    place = await asked.office.past.place(projection, at.moment.position, asked.asking.bearer.person_id)
    return Then(at.moment, place)


async def then_recorded(asked: Asked, too: Sequence[int] = ()) -> Then:
    """The same where nothing is folded, since what was recorded says it; raises Refused or NotYet."""
    return NOW if asked.one("as_of") is None else await then_of(asked, await _log_of(asked, too))


async def then_told(asked: Asked) -> Then:
    """The same for who hears alerts and nothing else: their log is that of the alerts; raises Refused or NotYet."""
    return await then_of(asked, Log(READS_SQL["first_alert"], READS_SQL["last_alert"]))


@dataclass(frozen=True, slots=True)
class Log:
    """What of the log somebody may know of: queries for its first position, and for its last one up to a position."""

    first: str
    last: str
    arguments: tuple[object, ...] = ()


async def _log_of(asked: Asked, too: Sequence[int]) -> Log:
    """A moment that named when something was recorded elsewhere would tell who may not see it that something was. So it
    is the last one of what they may know of: of their homes, of referrals to them, of what concerns everybody and comes
    by the clock or is public. What they see is the same: a home's rows change by its own events, and by those."""
    if asked.asking.reach in (Reach.EVERYWHERE, Reach.COUNTRY):
        return Log(READS_SQL["first_position"], READS_SQL["last_position"])
    homes = None if asked.sight.units is None else sorted(asked.sight.homes)
    own: list[asyncpg.Record] = []
    if asked.sight.recipient is not None:
        own = await asked.rows_of(READS_SQL["own_referrals"], asked.sight.recipient)
    streams, referrals = {row["stream"] for row in own}, {str(row["referral_id"]) for row in own}
    known = homes, list(streams), list(referrals), list(too)
    return Log(READS_SQL["first_known"], READS_SQL["last_known"], known)


async def then_of(asked: Asked, log: Log) -> Then:
    """A moment of this log; raises Refused or NotYet."""
    text = asked.one("as_of")
    if text is None:
        return NOW
    try:
        moment = await _found(asked, text, log)
    except MomentRefused as why:
        raise Refused(BAD_PARAMETER, f"as_of: {why}") from None
    office = asked.office
    if moment.position > office.feed.head and not await office.published.wait_for(moment.position, PUBLISHED_SECONDS):
        raise NotYet(f"position {moment.position} is not on Kafka yet: ask again soon")
    return Then(moment)


async def _found(asked: Asked, text: str, log: Log) -> Moment:
    """Raises MomentRefused. An instant up to now is answered, whatever was recorded last by then."""
    named, fetch = read_moment(text), asked.office.projections.fetch
    first = _as_moment(await fetch(log.first, *log.arguments))
    last = _as_moment(await fetch(log.last, FAR, *log.arguments))
    refuse_outside(named, first, last, asked.office.in_force.now())
    if isinstance(named, int):
        position = named
    else:
        (found,) = await fetch(READS_SQL["last_recorded_by"], named)
        position = found["position"]
    moment = _as_moment(await fetch(log.last, position, *log.arguments))
    assert moment is not None  # it lies between the first and the last
    return moment


def _as_moment(rows: Sequence[asyncpg.Record]) -> Moment | None:
    return Moment(*rows[0]) if rows else None


async def seen_page(
    asked: Asked, then: Then, after: Sequence[Any], names: Sequence[str], fetch: Fetch, too: Set[str] = frozenset()
) -> tuple[list[asyncpg.Record], list[Any] | None]:
    """One page of a moment's rows whose record whoever asks sees now, too; and after what the next one begins.

    `fetch` gets one row more than a page has, after a key of `names`; streams of `too` are seen in any case. A page is
    filled with what is seen, and there is a next one only where more of that comes: a cursor after a row that is not
    shown would name it.
    """
    shown: list[asyncpg.Record] = []
    while True:
        found = await fetch(after)
        shown += await still_seen(asked, then, found, too)
        if len(shown) > asked.rows:
            page = shown[: asked.rows]
            return page, [page[-1][name] for name in names]
        if len(found) <= asked.rows:
            return shown, None
        after = [found[-1][name] for name in names]


async def seen_streams(asked: Asked, then: Then, query: str, *arguments: object) -> list[str] | None:
    """Of a moment those streams of a query that whoever asks sees now, too; None where no row is to be left out."""
    if then.moment is None or asked.sight.units is None:
        return None
    rows = await asked.rows_of(query, *arguments, place=then.place)
    return sorted(await _seen_now(asked, {row["stream"] for row in rows}))


async def still_seen(
    asked: Asked, then: Then, rows: Sequence[asyncpg.Record], too: Set[str] = frozenset()
) -> list[asyncpg.Record]:
    """Of rows of a moment those whose record whoever asks sees now, too; of now all."""
    if then.moment is None or asked.sight.units is None:
        return list(rows)
    seen = too | await _seen_now(asked, {row["stream"] for row in rows} - too)
    return [row for row in rows if row["stream"] in seen]


async def _seen_now(asked: Asked, streams: Iterable[str]) -> set[str]:
    """Those of these reports and cases that whoever asks sees now; for a recipient, cases referred to them."""
    if asked.sight == NOTHING:
        return set()
    query = READS_SQL["seen_now" if asked.sight.recipient is None else "seen_by_recipient"]
    return {row["stream"] for row in await asked.rows_of(query, list(streams))}
