"""Which rows of a projection's table a reader sees: conditions of row-level security.

A transaction that reads says whose eyes it reads with: `intabaza.units` (all of them for `*`), their `intabaza.homes`,
or a recipient as `intabaza.recipient` (services/api/projections). Where it did not say, it sees nothing. A table with a
column `unit` needs no more than that; for any other its projection says how it is seen, or the API sees nothing of it.
"""

from __future__ import annotations

from projections.sql import named_queries

SQL = named_queries("projections", "seeing.sql")

BY_UNIT, BY_RECIPIENT, BY_BODY = SQL["unit"], SQL["recipient"], SQL["body"]
