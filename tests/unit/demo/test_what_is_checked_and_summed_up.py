"""The check says which command is missing; the summary counts days by the highest level that was held on them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from services.demo.check import missing
from services.demo.door import Acknowledged
from services.demo.summary import days_at_each_level
from services.demo.watch import Change

ONE, OTHER = UUID(int=1), UUID(int=2)
ZONE = ZoneInfo("Africa/Bujumbura")


def test_a_command_that_kafka_lacks_or_has_otherwise_is_named() -> None:
    commands = [Acknowledged("first", [(ONE, 1)]), Acknowledged("second", [(ONE, 2), (OTHER, 3)])]
    assert missing(commands, {1: str(ONE), 2: str(ONE), 3: str(OTHER)}) == []
    assert missing(commands, {1: str(ONE), 2: str(ONE)}) == [
        "The command second was acknowledged at position 3, which is not on Kafka."
    ]
    (told,) = missing(commands, {1: str(OTHER), 2: str(ONE), 3: str(OTHER)})
    assert "first" in told
    assert "another event" in told


def changed(number: int, before: int, after: int, at: datetime) -> Change:
    return Change("bi", number, before, after, "evidence", at, ())


def test_days_are_counted_by_the_highest_level_that_was_held_on_them() -> None:
    changes = [
        changed(1, 0, 3, datetime(2015, 5, 2, 10, tzinfo=UTC)),
        changed(2, 3, 2, datetime(2015, 5, 3, 22, tzinfo=UTC)),  # midnight of the fourth
        changed(3, 2, 4, datetime(2015, 5, 4, 9, tzinfo=UTC)),
        changed(4, 4, 0, datetime(2015, 5, 4, 15, tzinfo=UTC)),
    ]
    begins, ends = datetime(2015, 5, 1, tzinfo=ZONE), datetime(2015, 5, 7, tzinfo=ZONE)
    # the first calm, two days of alert, one of crisis, two calm again
    assert days_at_each_level(changes, begins, ends, ZONE) == {0: 3, 3: 2, 4: 1}
    assert days_at_each_level([], begins, ends, ZONE) == {0: 6}
