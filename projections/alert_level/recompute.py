"""A level computed again from what a change of it lists, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from events.level import ConfidenceReason, Contribution, LevelChanged
from projections.alert_level.coverage import while_watched
from projections.alert_level.rules import Rules


def recompute(event: LevelChanged, rules: Rules) -> tuple[int, int]:
    """The points and the level of what a change lists, under the rules it names; nothing else is looked at."""
    counted = [(one.kind, share) for one, share in _counted(event.contributions, event.window_permille, rules)]
    soft = sum(share for kind, share in counted if (rule := rules.kinds.get(kind)) is not None and rule.softened)
    peace = sum(share for _, share in _counted(event.peace, 1000, rules))
    points = sum(share for _, share in counted) - min(peace, soft * rules.set.peace.share // 1000)
    before = event.before if event.held is None else event.held
    level = max(rules.level(points, before), event.straight_to or 0)
    lost = event.confidence_reason == ConfidenceReason.COVERAGE_LOST
    return points, while_watched(level, before, lost=lost)


def _counted(listed: Iterable[Contribution], window: int, rules: Rules) -> Iterator[tuple[Contribution, int]]:
    weighted = []
    for one in listed:
        standing = max(one.given - one.faded, one.floor)
        rule = rules.kinds.get(one.kind)
        if rule is not None and rule.in_window:
            standing = standing * window // 1000
        weighted.append((-standing, str(one.case_id), one))
    for rank, (minus, _, one) in zip(rules.ranks, sorted(weighted, key=lambda each: each[:2]), strict=False):
        yield one, -minus * rank // 1000
