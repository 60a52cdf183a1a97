"""Row-level security on the projections' tables, behind the API's own check of area.

The API reads as intabaza_app, which sees what its transaction says with `set_config(…, true)` and nothing before that
(services/api/projections). Whoever makes and writes the tables, and auditors, see all by policy; no role passes by.
How the rows of each table are seen stands with its projection (projections/seeing).
"""

from __future__ import annotations

from typing import Any

from projections.projection import Connection, Projection
from projections.seeing import BY_UNIT
from projections.sql import named_queries

SQL = named_queries("services.processors", "guarding.sql")


async def guard(connection: Connection, projection: Projection[Any, Any], place: str) -> None:
    """Guard every table of a projection's place that is not guarded yet; its owner calls, within a transaction.

    COPY is refused to whom row-level security binds, so the owner of a table that is copied into is left free: the
    API's role owns nothing.
    """
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
        if name not in projection.copied:
            statements.append(f'alter table "{name}" force row level security')
        if (seen := projection.seen.get(name, BY_UNIT if table["has_unit"] else None)) is not None:
            statements.append(f'create policy seen on "{name}" for select to intabaza_app using ({seen})')
        await connection.execute("; ".join(statements))
