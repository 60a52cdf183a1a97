"""Why a level is what it is: computed again from what a change lists, and in words a committee can read aloud."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from events.level import ConfidenceReason, Contribution, LevelCause, LevelChanged
from projections.alert_level.coverage import while_watched
from projections.alert_level.rules import Rules

LEVELS = ("calm", "watch", "tension", "alert", "crisis")

_CAUSES = {
    LevelCause.EVIDENCE: "because of what was reported and assessed",
    LevelCause.RETRACTION: "because something was taken back, not because something happened",
    LevelCause.FADING: "because time went by",
    LevelCause.RESOLVED: "because a case was resolved or closed",
    LevelCause.RULES: "because other rules were adopted, not because something happened",
    LevelCause.GAZETTEER: "because the country is divided otherwise now, not because something happened",
    LevelCause.ELECTION_WINDOW: "because of the time around an election",
    LevelCause.COVERAGE: "because somebody watches again or is counted on no more, not because something happened",
    LevelCause.ENGINE: "because levels are computed by a corrected program, not because something happened",
}

_RANKS = ("whole", "a half", "a quarter", "an eighth")


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


def explain(event: LevelChanged, rules: Rules, name: str, on: str) -> tuple[str, ...]:
    """Sentences that say a change: of the unit of this name, on this day as people write it."""
    rises = "rises" if event.after > event.before else "falls"
    cause = _CAUSES.get(event.cause, "for a reason that this program does not know")
    said = [
        f"{name} {rises} from {_level(event.before)} to {_level(event.after)} on {on}, {cause}.",
        _sum(event, rules),
    ]
    said += [_case(number, one, event.window_permille, rules) for number, one in enumerate(event.contributions, 1)]
    said += _peace(event, rules)
    if event.straight_to is not None:
        said.append(
            f"A case assessed as {rules.set.straight_to.severity} is not resolved: the level is at least "
            f"{_level(event.straight_to)}, whatever its points."
        )
    said.append(_open(event.open_cases))
    said.append(_confidence(event))
    return tuple(said)


def points(thousandths: int) -> str:
    """Points as people say them: 52500 is 52.5."""
    whole, rest = divmod(abs(thousandths), 1000)
    fraction = f".{rest:03d}".rstrip("0").rstrip(".")
    return f"{'-' if thousandths < 0 else ''}{whole}{fraction}"


def _level(level: int) -> str:
    return f"{LEVELS[level]} (level {level})"


def _sum(event: LevelChanged, rules: Rules) -> str:
    thresholds = rules.set.levels
    told = f"Its cases add up to {points(event.points)} points."
    if event.after < 4:
        told += f" {LEVELS[event.after + 1].capitalize()} begins at {points(thresholds.up[event.after])} points."
    if event.after > 0:
        told += f" {LEVELS[event.after].capitalize()} is held down to {points(thresholds.down[event.after - 1])}."
    return told


def _case(number: int, one: Contribution, window: int, rules: Rules) -> str:
    told = [f"{number}. {_words(one.kind.shown)}, case {str(one.case_id)[:8]}: given {points(one.given)} points"]
    if one.faded:
        told.append(f"{points(one.faded)} of them went by time or by its end")
    if one.floor > one.given - one.faded:
        told.append(f"it is not resolved, so it keeps {points(one.floor)}")
    rule = rules.kinds.get(one.kind)
    if rule is not None and rule.in_window and window != 1000:
        told.append(f"times {points(window)} around an election")
    return f"{', '.join(told)}; as number {one.rank} it counts {_rank(one.rank, rules)}: {points(one.counted)}."


def _peace(event: LevelChanged, rules: Rules) -> Sequence[str]:
    if not event.peace_offset:
        return ()
    cases = (
        "1 peace initiative or kept commitment takes"
        if len(event.peace) == 1
        else (f"{len(event.peace)} peace initiatives and kept commitments take")
    )
    share = points(rules.set.peace.share * 100)
    return (f"{cases} {points(event.peace_offset)} points off tension and rumour, of which at most {share} % can go.",)


def _rank(rank: int, rules: Rules) -> str:
    share = rules.ranks[rank - 1] if rank <= len(rules.ranks) else 0
    if rank <= len(_RANKS) and share == 1000 >> (rank - 1):
        return _RANKS[rank - 1]
    return f"{points(share)} of its points"


def _open(number: int) -> str:
    return "1 case is open." if number == 1 else f"{number or 'No'} cases are open."


_WATCHED = {
    ConfidenceReason.COVERAGE_UNKNOWN: "How well this place is watched is not known, so calm may also be silence: "
    "confidence is low.",
    ConfidenceReason.COVERAGE_FULL: "Enough of those who watch this place give signs of life: confidence is high.",
    ConfidenceReason.COVERAGE_PARTIAL: "Some of those who watch this place are silent: confidence is medium.",
    ConfidenceReason.CHANNEL_LOST: "Over one way or another nothing comes from this place any more: confidence is "
    "medium.",
    ConfidenceReason.FEW_REPORTERS: "Most of those who watch this place are silent, so calm may also be silence: "
    "confidence is low.",
    ConfidenceReason.COVERAGE_LOST: "This place is not watched now: the level may rise, but it does not fall until "
    "somebody looks again.",
}


def _confidence(event: LevelChanged) -> str:
    return _WATCHED.get(event.confidence_reason, f"Confidence is {event.confidence.shown}.")


def _words(kind: str) -> str:
    return kind.replace("_", " ").capitalize()
