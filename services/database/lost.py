"""How long a database is waited for, and what asyncpg raises when it does not answer."""

from __future__ import annotations

import asyncpg

CONNECT_SECONDS = 10
ANSWER_SECONDS = 30

LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What asyncpg raises where a database is not there, goes away or says no.

InternalClientError is what it says between a server's FATAL and the end of the connection.
"""
