"""Days as people count them in one time zone, and the moments on the wire at which they begin."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from events.vocabulary import wire_time


class LocalDays:
    """Days as ordinals. Remembers midnights: a fold asks for the same few again and again."""

    def __init__(self, time_zone: str) -> None:
        self.zone = ZoneInfo(time_zone)
        self._midnights: dict[int, str] = {}
        self._today = (0, "", "")

    def day(self, time: str) -> int:
        """The local day of a moment on the wire, as an ordinal."""
        day, begins, ends = self._today
        if begins <= time < ends:
            return day
        day = datetime.fromisoformat(time).astimezone(self.zone).toordinal()
        self._today = (day, self.midnight(day), self.midnight(day + 1))
        return day

    def day_of_second(self, second: int) -> int:
        """The local day of a moment in whole seconds since 1970."""
        return datetime.fromtimestamp(second, self.zone).toordinal()

    def midnight(self, day: int) -> str:
        """The moment at which a local day begins, spelt as on the wire."""
        moment = self._midnights.get(day)
        if moment is None:
            if len(self._midnights) > 5_000:
                self._midnights.clear()
            begins = datetime.combine(date.fromordinal(day), datetime.min.time(), self.zone)
            moment = self._midnights[day] = wire_time(begins.astimezone(UTC))
        return moment
