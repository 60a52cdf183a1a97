"""Row-level security on the projections' tables, behind the API's own check of area.

The API reads as intabaza_app, which sees what its transaction says with `set_config(…, true)` and nothing before that
(services/api/projections). Whoever makes and writes the tables, and auditors, see all by policy; no role passes by.
A table that is not named here and has no unit is one that the API does not read, and it sees nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from projections.projection import Connection
from projections.sql import named_queries

SQL = named_queries("services.processors", "guarding.sql")

SEEN_BY: Mapping[str, str] = {
    "case_board_fallen": "seeing",
    "case_timeline_event": "event",
    "case_timeline_link": "link",
    "referral_board": "recipient",
    "referral_board_count": "recipient",
    "review_queue_case": "body",
    "review_queue_report": "body",
}
"""How rows of a table are seen, where not by a column `unit`."""

COPIED = frozenset({"case_timeline_event", "case_timeline_link"})
"""COPY is refused to whom row-level security binds, so the owner of these is left free: the API's role owns nothing."""


async def guard(connection: Connection, place: str) -> None:
    """Guard every table of a place that is not guarded yet; its owner calls, within a transaction."""
    await connection.execute("select set_config('search_path', $1, true)", place)
    for table in await connection.fetch(SQL["tables"], place):
        if table["guarded"]:
            continue
        name = table["name"]
        statements = [
            f'alter table "{name}" enable row level security',
            f'create policy written on "{name}" to current_user, intabaza_projector using (true) with check (true)',
            f'create policy audited on "{name}" for select to intabaza_reader using (true)',
        ]
        if name not in COPIED:
            statements.append(f'alter table "{name}" force row level security')
        if (seen := SEEN_BY.get(name, "unit" if table["has_unit"] else None)) is not None:
            statements.append(f'create policy seen on "{name}" for select to intabaza_app using ({SQL[seen]})')
        await connection.execute("; ".join(statements))
