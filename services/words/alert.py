"""What strangers are told of an alert, sentence by sentence: nothing that the bare alert does not say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from events.alert import AlertChange, AlertIssued, KindGroup
from events.vocabulary import Word
from services.words.languages import Language
from services.words.level import level_with_number, marked

_GROUPS: Mapping[Word, str] = {
    KindGroup.VIOLENCE_AND_WEAPONS: marked("violence and weapons"),
    KindGroup.TENSION_AND_RUMOUR: marked("tension and rumour"),
    KindGroup.RIGHTS_AND_ELECTIONS: marked("rights and elections"),
    KindGroup.DISPLACEMENT: marked("displacement of people"),
}
_OTHER = marked("something else")

_CHANGES: Mapping[Word, str] = {
    AlertChange.RAISED: marked("{place} rises from {before} to {after} on {day}."),
    AlertChange.LOWERED: marked("{place} falls from {before} to {after} on {day}."),
    AlertChange.CORRECTED: marked(
        "What was told of {place} before is corrected: since {day} it stands at {after}, not at {before}. That is "
        "another way to see it, not something that happened."
    ),
    AlertChange.CANCELLED: marked(
        "What was told of {place} before is taken back on {day}: it should not have been told, or is counted otherwise "
        "now."
    ),
}
_CHANGED = marked("{place} goes from {before} to {after} on {day}.")

_NOTES: Mapping[str, str] = {
    "actual": "",
    "exercise": marked("This is an exercise: nothing of it happened."),
}
_TEST = marked("This is a test: nothing of it happened.")


def event_of(to: Language) -> str:
    """What kind of thing every alert is about."""
    return to.say("Early warning of conflict")


def headline(alert: AlertIssued, mode: str, *, stands: bool, to: Language) -> str:
    """One line: where, and how bad."""
    values = {"place": alert.unit_name, "level": level_with_number(alert.after, to)}
    if alert.change == AlertChange.CANCELLED:
        said = to.say("{place}: the alert is cancelled", **values)
    elif stands:
        said = to.say("{place}: {level}", **values)
    else:
        said = to.say("{place}: the alert has ended", **values)
    note = in_what_earnest(mode, to)
    return f"{note} {said}" if note else said


def description(alert: AlertIssued, mode: str, *, stands: bool, to: Language) -> str:
    """What changed and on which day, and what it is about, coarsely."""
    return " ".join(_described(alert, mode, stands, to))


def instruction(*, stands: bool, to: Language) -> str:
    """What whoever receives it is asked to do, and not to do."""
    if not stands:
        return to.say("Pass this on to everybody whom you told of the alert.")
    return to.say(
        "Ask people whom you trust in the place before you act. Do nothing against anybody because of this alert: it "
        "accuses nobody. Pass on what corrects or cancels it to everybody whom you told."
    )


def in_what_earnest(mode: str, to: Language) -> str:
    """That it is no earnest, where it is none; a mode that this program does not know is none."""
    sentence = _NOTES.get(mode, _TEST)
    return to.say(sentence) if sentence else ""


def _described(alert: AlertIssued, mode: str, stands: bool, to: Language) -> Iterator[str]:
    if note := in_what_earnest(mode, to):
        yield note
    values = {
        "place": alert.unit_name,
        "before": level_with_number(alert.before, to),
        "after": level_with_number(alert.after, to),
        "day": to.day(alert.on),
    }
    yield to.say(_CHANGES.get(alert.change, _CHANGED), **values)
    if alert.kinds:
        kinds = ", ".join(to.say(_GROUPS.get(kind, _OTHER)) for kind in alert.kinds)
        yield to.say("It is about: {kinds}.", kinds=kinds)
    if not stands:
        yield to.say("There is no alert for {place} now, which does not say that it is calm.", place=alert.unit_name)
    yield to.say("Levels go from 0 (calm) to 4 (crisis).")
    if not to.read_by_a_native:
        yield to.say("Nobody who was born to this language has read these sentences yet.")
