"""An alert as every bulletin begins: the event's own words, and when it may be said to have been sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from events.alert import AlertChange, AlertIssued
from events.catalogue import read
from services.ledger.ledger import Recorded

LAST_OF_AN_HOUR = 3_599


class Reference(NamedTuple):
    """How other documents name this one, beside its sender."""

    alert_id: UUID
    sent: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """One alert. `stands` says whether it warns, by the rules of its time: one that does not ends what was told."""

    alert_id: UUID
    position: int
    mode: str
    sent: datetime
    stands: bool
    alert: AlertIssued

    @property
    def supersedes(self) -> UUID | None:
        """The alert whose place it takes, if there is one."""
        return self.alert.cancels or self.alert.updates

    @property
    def reference(self) -> Reference:
        return Reference(self.alert_id, self.sent)


async def told(row: Recorded, earlier_in_its_hour: int, alerts_from: Callable[[str], Awaitable[int]]) -> Told:
    """The alert of a row of the ledger; `alerts_from` says from which level there are alerts, by rules' hash."""
    envelope = read(row.wire())
    alert = envelope.data
    assert isinstance(alert, AlertIssued)
    lowest = await alerts_from(alert.rules_hash)
    return Told(
        alert_id=row.event_id,
        position=row.position,
        mode=str(envelope.mode),
        sent=sent_at(row.recorded_at, earlier_in_its_hour),
        stands=alert.change != AlertChange.CANCELLED and alert.after >= lowest,
        alert=alert,
    )


def hour_of(moment: datetime) -> datetime:
    """The beginning of its hour, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def sent_at(recorded_at: datetime, earlier_in_its_hour: int) -> datetime:
    """When an alert is said to have been sent: its hour, and in it a second for each alert of the country before it.

    A document is passed on to anybody, and its minute would be that of a telephone call: a provisional case raises a
    level within a second. So only the hour is true. The seconds keep alerts apart and in order, for those who go by
    `sent`; after an hour's 3,600 they no longer do, and ids still do.
    """
    return hour_of(recorded_at) + timedelta(seconds=min(earlier_in_its_hour, LAST_OF_AN_HOUR))
