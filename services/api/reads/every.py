"""Every read there is; a module more is one line here."""

from __future__ import annotations

from services.api.reading import Read
from services.api.reads import (
    alerts,
    bulletins,
    cases,
    coverage,
    features,
    gaps,
    levels,
    log,
    places,
    positions,
    queue,
    recipients,
    referrals,
    registers,
    reporters,
    reports,
    silences,
    subscribers,
    tables,
    timelines,
    traces,
)

READS: tuple[Read, ...] = (
    *levels.READS,
    *cases.READS,
    *timelines.READS,
    *traces.READS,
    *reports.READS,
    *queue.READS,
    *referrals.READS,
    *gaps.READS,
    *coverage.READS,
    *reporters.READS,
    *recipients.READS,
    *places.READS,
    *registers.READS,
    *alerts.READS,
    *silences.READS,
    *bulletins.READS,
    *features.READS,
    *tables.READS,
    *positions.READS,
    *log.READS,
    *subscribers.READS,
)
"""Every read, in the order in which addresses are compared: what is asked most stands first."""
