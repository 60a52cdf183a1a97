"""When something falls due next is what live projections say, and no business of those that are being rebuilt."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import asyncpg

from services.local.postgres import PostgresServer
from services.relay.due import ProjectionsDue

WATERMARK = "insert into projections.watermark (place, projection, partition, version, topic_id, next_due) values "
SOON, LATER = datetime(2027, 3, 1, 11, 17, tzinfo=UTC), datetime(2027, 3, 1, 12, 30, tzinfo=UTC)
LAST = datetime(2027, 3, 1, 11, 5, tzinfo=UTC)
LONG_AGO = datetime(2015, 4, 26, 6, 0, tzinfo=UTC)


async def test_the_earliest_after_the_last_tick_of_all_live_projections_and_partitions_counts_and_no_shadows(
    postgres: PostgresServer, fresh_database: str
) -> None:
    owner = await asyncpg.connect(postgres.dsn(fresh_database))
    due = ProjectionsDue(postgres.dsn(fresh_database, "intabaza_app"))
    try:
        assert await due(LAST) is None
        for place, projection, partition, falls_due in (
            ("referral_board", "referral_board", 0, LATER),
            ("referral_board", "referral_board", 1, SOON),
            ("case_timeline", "case_timeline", 0, None),
            # It folds what was years ago; what falls due for it then calls nobody now.
            ("referral_board_shadow", "referral_board", 0, LONG_AGO),
            # Nobody folds it on, and it says for ever what the last tick has called already.
            ("silences", "silences", 3, LAST),
        ):
            row = (place, projection, partition, uuid4(), falls_due)
            await owner.execute(f"{WATERMARK} ($1, $2, $3, 1, $4, $5)", *row)
        assert await due(LAST) == SOON
        assert await due(SOON) == LATER
        assert await due(LATER) is None
    finally:
        due.close()
        await owner.close()
