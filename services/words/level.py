"""Why a level is what it is, sentence by sentence: a change that was said, or a unit as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from events.level import Confidence, ConfidenceReason, Contribution, LevelCause, LevelChanged
from events.vocabulary import Kind, Severity, Word
from projections.alert_level.rules import Rules
from services.words.languages import Language


def marked(sentence: str) -> str:
    """Marks a sentence for the catalogs that is said later."""
    return sentence


LEVELS = (marked("calm"), marked("watch"), marked("tension"), marked("alert"), marked("crisis"))

_CAUSES: Mapping[Word, str] = {
    LevelCause.EVIDENCE: marked("because of what was reported and assessed"),
    LevelCause.RETRACTION: marked("because something was taken back, not because something happened"),
    LevelCause.FADING: marked("because time went by"),
    LevelCause.RESOLVED: marked("because a case was resolved or closed"),
    LevelCause.RULES: marked("because other rules were adopted, not because something happened"),
    LevelCause.GAZETTEER: marked("because the country is divided otherwise now, not because something happened"),
    LevelCause.ELECTION_WINDOW: marked("because of the time around an election"),
    LevelCause.COVERAGE: marked(
        "because somebody watches again or is counted on no more, not because something happened"
    ),
    LevelCause.ENGINE: marked("because levels are computed by a corrected program, not because something happened"),
}
_UNKNOWN_CAUSE = marked("for a reason that this program does not know")

_KINDS: Mapping[Word, str] = {
    Kind.TENSION: marked("tension between people"),
    Kind.VIOLENCE: marked("violence"),
    Kind.WEAPONS: marked("weapons"),
    Kind.RUMOUR_OR_HATE_SPEECH: marked("rumour or hate speech"),
    Kind.ELECTORAL_IRREGULARITY: marked("electoral irregularity"),
    Kind.DETENTION_OR_RIGHTS: marked("detention or rights"),
    Kind.DISPLACEMENT: marked("displacement"),
    Kind.PEACE_INITIATIVE: marked("peace initiative"),
    Kind.RESPONSE_UPDATE: marked("news of a response"),
    Kind.COMMITMENT_UPDATE: marked("kept commitment"),
    Kind.NOTHING_TO_REPORT: marked("nothing to report"),
}
_SEVERITIES: Mapping[Word, str] = {
    Severity.MINOR: marked("minor"),
    Severity.MODERATE: marked("moderate"),
    Severity.SEVERE: marked("severe"),
    Severity.EXTREME: marked("extreme"),
}
_OTHER = marked("other")

_SHARES = (marked("whole"), marked("a half"), marked("a quarter"), marked("an eighth"))

_WATCHED: Mapping[Word, str] = {
    ConfidenceReason.COVERAGE_UNKNOWN: marked(
        "How well this place is watched is not known, so calm may also be silence: confidence is low."
    ),
    ConfidenceReason.COVERAGE_FULL: marked(
        "Enough of those who watch this place give signs of life: confidence is high."
    ),
    ConfidenceReason.COVERAGE_PARTIAL: marked("Some of those who watch this place are silent: confidence is medium."),
    ConfidenceReason.CHANNEL_LOST: marked(
        "Over one way or another nothing comes from this place any more: confidence is medium."
    ),
    ConfidenceReason.FEW_REPORTERS: marked(
        "Most of those who watch this place are silent, so calm may also be silence: confidence is low."
    ),
    ConfidenceReason.COVERAGE_LOST: marked(
        "This place is not watched now: the level may rise, but it does not fall until somebody looks again."
    ),
}
_CONFIDENCE: Mapping[Word, str] = {
    Confidence.HIGH: marked("Confidence is high."),
    Confidence.MEDIUM: marked("Confidence is medium."),
    Confidence.LOW: marked("Confidence is low."),
    Confidence.BLIND: marked("Nobody watches this place now."),
}


def explain_change(change: LevelChanged, rules: Rules, place: str, to: Language) -> tuple[str, ...]:
    """Sentences that say a change of the unit that is called `place`, under the rules that it names."""
    return (_what_changed(change, rules, place, to), *_made_of(change, rules, to))


def explain_standing(standing: LevelChanged, rules: Rules, place: str, to: Language) -> tuple[str, ...]:
    """The same for a unit as it stands: its level, since when and why, and what it is made of now."""
    said = to.say(
        "{place} stands at {level} since {day}, {cause}.",
        place=place,
        level=level_with_number(standing.after, to),
        day=to.day(_day(standing, rules)),
        cause=_cause(standing, to),
    )
    return (said, *_made_of(standing, rules, to))


def explain_calm(place: str, watched: ConfidenceReason, to: Language) -> tuple[str, ...]:
    """The same for a unit whose level never changed: calm may be silence, so how well it is watched is said too."""
    return (
        to.say("{place} is at {level}: nothing has changed that so far.", place=place, level=level_with_number(0, to)),
        to.say(_WATCHED.get(watched, _WATCHED[ConfidenceReason.COVERAGE_UNKNOWN])),
    )


def level_named(level: int, to: Language) -> str:
    """A level's name."""
    return to.say(LEVELS[level])


def _what_changed(change: LevelChanged, rules: Rules, place: str, to: Language) -> str:
    values = {
        "place": place,
        "before": level_with_number(change.before, to),
        "after": level_with_number(change.after, to),
        "day": to.day(_day(change, rules)),
        "cause": _cause(change, to),
    }
    if change.after > change.before:
        return to.say("{place} rises from {before} to {after} on {day}, {cause}.", **values)
    return to.say("{place} falls from {before} to {after} on {day}, {cause}.", **values)


def _day(change: LevelChanged, rules: Rules) -> date:
    return change.effective_at.astimezone(rules.zone).date()


def _cause(change: LevelChanged, to: Language) -> str:
    return to.say(_CAUSES.get(change.cause, _UNKNOWN_CAUSE))


def _made_of(change: LevelChanged, rules: Rules, to: Language) -> Iterator[str]:
    yield _sum(change, rules, to)
    for number, one in enumerate(change.contributions, 1):
        yield _case(number, one, change.window_permille, rules, to)
    yield from _peace(change, rules, to)
    if change.straight_to is not None:
        yield to.say(
            "A case assessed as {severity} is not resolved: the level is at least {level}, whatever its points.",
            severity=_word(_SEVERITIES, rules.set.straight_to.severity, to),
            level=level_with_number(change.straight_to, to),
        )
    yield _open(change.open_cases, to)
    yield to.say(_WATCHED.get(change.confidence_reason) or _CONFIDENCE.get(change.confidence, _OTHER))


def level_with_number(level: int, to: Language) -> str:
    """A level as a sentence names it: by its name and its number."""
    return to.say("{level} (level {number})", level=to.say(LEVELS[level]), number=level)


def _sum(change: LevelChanged, rules: Rules, to: Language) -> str:
    thresholds, level = rules.set.levels, change.after
    told = [to.say("Its cases add up to {points} points.", points=to.points(change.points))]
    if level < 4:
        told.append(
            to.say(
                "{level} begins at {points} points.",
                level=_capital(to.say(LEVELS[level + 1])),
                points=to.points(thresholds.up[level]),
            )
        )
    if level > 0:
        told.append(
            to.say(
                "{level} is held down to {points}.",
                level=_capital(to.say(LEVELS[level])),
                points=to.points(thresholds.down[level - 1]),
            )
        )
    return " ".join(told)


def _case(number: int, one: Contribution, window: int, rules: Rules, to: Language) -> str:
    told = [
        to.say(
            "{number}. {kind}, case {case}: given {points} points",
            number=number,
            kind=_capital(_word(_KINDS, one.kind, to)),
            case=str(one.case_id)[:8],
            points=to.points(one.given),
        )
    ]
    if one.faded:
        told.append(to.say("{points} of them went by time or by its end", points=to.points(one.faded)))
    if one.floor > one.given - one.faded:
        told.append(to.say("it is not resolved, so it keeps {points}", points=to.points(one.floor)))
    rule = rules.kinds.get(one.kind)
    if rule is not None and rule.in_window and window != 1000:
        told.append(to.say("times {points} around an election", points=to.points(window)))
    return to.say(
        "{parts}; as number {rank} it counts {share}: {points}.",
        parts=", ".join(told),
        rank=one.rank,
        share=_share(one.rank, rules, to),
        points=to.points(one.counted),
    )


def _peace(change: LevelChanged, rules: Rules, to: Language) -> Iterator[str]:
    if change.peace_offset:
        yield to.say_number(
            "{number} peace initiative or kept commitment takes {points} points off tension and rumour, of which at "
            "most {share} % can go.",
            "{number} peace initiatives and kept commitments take {points} points off tension and rumour, of which at "
            "most {share} % can go.",
            len(change.peace),
            points=to.points(change.peace_offset),
            share=to.points(rules.set.peace.share * 100),
        )


def _share(rank: int, rules: Rules, to: Language) -> str:
    share = rules.ranks[rank - 1] if rank <= len(rules.ranks) else 0
    if rank <= len(_SHARES) and share == 1000 >> (rank - 1):
        return to.say(_SHARES[rank - 1])
    return to.say("{points} of its points", points=to.points(share))


def _open(number: int, to: Language) -> str:
    if number == 0:
        return to.say("No case is open.")
    return to.say_number("{number} case is open.", "{number} cases are open.", number)


def _word(words: Mapping[Word, str], word: Word, to: Language) -> str:
    return to.say(words.get(word, _OTHER))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
