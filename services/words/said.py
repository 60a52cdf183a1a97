"""What the log said of a unit's level at a moment, with the rule set by which it was said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping

from events.catalogue import read
from events.level import ConfidenceReason, CoverageLost, CoverageRestored, LevelChanged
from events.reference import RulesAdopted
from projections.alert_level.rules import Rules
from services.ledger.ledger import Ledger, Recorded
from services.moments import Named


async def said_of(ledger: Ledger, unit: str, as_of: Named | None = None) -> tuple[Recorded, LevelChanged] | None:
    """The last change of a unit's level that was recorded at or before a moment; None where there was none."""
    last = None
    for row in await ledger.read_stream(f"level/{unit}"):
        if as_of is not None and _after(row, as_of):
            break
        if row.type == LevelChanged.name:
            last = row
    if last is None:
        return None
    change = read(last.wire()).data
    assert isinstance(change, LevelChanged)
    return last, change


async def watched_then(ledger: Ledger, unit: str, as_of: Named | None, said: LevelChanged | None) -> ConfidenceReason:
    """How well a unit was watched at a moment, as far as the log says it.

    That nobody watches, and that somebody does again, is on the log by itself. How well else, each change of the level
    says; between two of them it may have been another, and after what is over it is not known.
    """
    lost = False
    for row in await ledger.read_stream(f"level/{unit}"):
        if as_of is not None and _after(row, as_of):
            break
        if row.type in (CoverageLost.name, CoverageRestored.name):
            event = read(row.wire()).data
            assert isinstance(event, CoverageLost | CoverageRestored)
            if event.channel is None:
                lost = isinstance(event, CoverageLost)
    if lost:
        return ConfidenceReason.COVERAGE_LOST
    known = None if said is None else said.confidence_reason
    return ConfidenceReason.COVERAGE_UNKNOWN if known in (None, ConfidenceReason.COVERAGE_LOST) else known


def _after(row: Recorded, moment: Named) -> bool:
    return row.position > moment if isinstance(moment, int) else row.recorded_at > moment


ALERTS_FROM = 1
"""From which level there are alerts by a rule set that is on no log: a level of nothing is none by any."""


def alerts_from(ledger: Ledger, known: MutableMapping[str, Rules]) -> Callable[[str], Awaitable[int]]:
    """Answers from which level there are alerts, by the rule set of a hash."""

    async def answer(digest: str) -> int:
        rules = await rules_by_hash(ledger, digest, known)
        return ALERTS_FROM if rules is None else rules.set.alerts.from_level

    return answer


async def rules_by_hash(ledger: Ledger, digest: str, known: MutableMapping[str, Rules]) -> Rules | None:
    """The rule set of this hash, whose text is on the log; `known` keeps what was read."""
    if digest not in known:
        for row in await ledger.read_stream("reference/rules"):
            adopted = read(row.wire()).data
            if isinstance(adopted, RulesAdopted) and adopted.content_hash not in known:
                known[adopted.content_hash] = Rules(adopted.content)
    return known.get(digest)
