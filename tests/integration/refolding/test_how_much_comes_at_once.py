"""A refolding is given as many records of a partition at once as its bytes allow, small ones too."""

from __future__ import annotations

from services.local.kafka import KafkaServer
from services.local.topics import EVENTS
from services.log.record import Link
from services.processors.places import MOST_RECORDS, Places
from tests.support.feeding import Feeder


async def test_thousands_of_records_come_at_once_and_more_of_them_in_pieces(feeder: Feeder, kafka: KafkaServer) -> None:
    for position in range(1, MOST_RECORDS + 501):
        feeder.record(0, "home", b"{}", Link(position, position - 1))
    feeder.close()
    with Places(kafka.bootstrap, EVENTS) as places:
        walk = places.walk({0: 0}, {0: places.end(0)})
        pieces: list[int] = []
        while walk.under_way:
            pieces.extend(len(records) for records in walk.next().values())
    assert max(pieces) > MOST_RECORDS // 2
    assert max(pieces) <= MOST_RECORDS
    assert sum(pieces) == MOST_RECORDS + 500
