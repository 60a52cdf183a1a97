"""What rested on an event that turns out to be wrong, what it rested on itself, and what was corrected."""

from __future__ import annotations

from services.api.problems import BAD_PARAMETER, NO_SUCH_EVENT, TOO_MUCH_RESTS_ON_IT, Refused
from services.api.reading import Asked, Read, Reply
from services.trace.reading import Reader, TooMuch
from services.trace.shown import Shown
from services.trace.tracing import Tracing, Untraced, event_named

ASK_THERE = "Have it asked where the network's stack runs: `intabaza trace EVENT --most NUMBER` may read more."


async def trace(asked: Asked) -> Reply:
    """Every level change, alert, referral, decision and message that rested on an event or on what it takes back."""
    which = event_named(asked.request.path_params["event"])
    if which is None:
        raise Refused(BAD_PARAMETER, "event: expected an event's id (a UUID) or its position (a number); copy it.")
    try:
        async with asked.office.projections.looking() as fetch:
            found = await Tracing(await Reader.begin(fetch), asked.office.partitions).trace(which)
    except Untraced:
        raise _no_such_event() from None
    except TooMuch as much:
        raise Refused(TOO_MUCH_RESTS_ON_IT, f"{much} {ASK_THERE}") from None
    shown = Shown(found, asked.sees_of)
    if not shown.sees(found.event):
        raise _no_such_event()
    return Reply(shown.document())


def _no_such_event() -> Refused:
    return Refused(NO_SUCH_EVENT, "There is no such event in your area that could be traced.")


READS = (Read("/v1/trace/{event}", "read.trace", trace),)
