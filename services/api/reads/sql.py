"""Queries that serve one read and no projection."""

from projections.sql import named_queries

READS_SQL = named_queries("services.api.reads", "reads.sql")
