"""What is done about a case: referred, with every way that can go, decided otherwise, or nothing; and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from events.vocabulary import ActorClass, Kind, Purpose, Severity
from services.demo import words
from services.demo.acts import EVENING, STEP, Made, Pen
from services.demo.cast import Player
from services.demo.committee import Opened
from services.demo.scenario import Recipient

DAY = timedelta(days=1)

PURPOSES: Mapping[Kind, tuple[Purpose, ...]] = {
    Kind.VIOLENCE: (Purpose.PROTECTION, Purpose.INVESTIGATION, Purpose.MEDICAL),
    Kind.WEAPONS: (Purpose.INVESTIGATION, Purpose.PROTECTION),
    Kind.TENSION: (Purpose.MEDIATION,),
    Kind.RUMOUR_OR_HATE_SPEECH: (Purpose.INFORMATION, Purpose.MEDIATION),
    Kind.ELECTORAL_IRREGULARITY: (Purpose.MEDIATION, Purpose.LEGAL),
    Kind.DETENTION_OR_RIGHTS: (Purpose.LEGAL, Purpose.INVESTIGATION),
    Kind.DISPLACEMENT: (Purpose.PROTECTION, Purpose.INFORMATION),
}
"""For what a case of each kind is referred; a kind that is not here is not."""
CONCERNS_PEOPLE = frozenset({Kind.VIOLENCE, Kind.DETENTION_OR_RIGHTS, Kind.DISPLACEMENT})
DATA: Mapping[Purpose, tuple[str, ...]] = {
    Purpose.MEDICAL: ("place", "harm"),
    Purpose.LEGAL: ("place", "dates", "kind"),
}
OUTCOMES: Mapping[Kind, Mapping[tuple[str, str, str], int]] = {
    Kind.VIOLENCE: {
        ("harm_done", "unknown", "unknown"): 50,
        ("subsided", "itself", "unknown"): 30,
        ("settled", "authority", "others"): 20,
    },
    Kind.TENSION: {
        ("subsided", "itself", "unknown"): 45,
        ("settled", "mediation", "recipient"): 40,
        ("prevented", "community", "community"): 15,
    },
    Kind.DETENTION_OR_RIGHTS: {("settled", "court", "others"): 45, ("harm_done", "unknown", "unknown"): 55},
}
OTHERWISE = {("subsided", "itself", "unknown"): 55, ("settled", "authority", "others"): 25, ("unknown",) * 3: 20}


@dataclass(slots=True)
class Work:
    """What was done about a case so far: until when people act on it, and whether a referral never ends."""

    until: datetime
    hangs: bool = False


def answer(pen: Pen, opened: Opened) -> Work:
    """Write down whether and how the network answers a case."""
    entry, chance, rule = pen.entry, pen.chance, pen.scenario.head.invented.answers
    work = Work(opened.assessed + STEP)
    if entry.kind not in PURPOSES:
        return work
    drawn = chance.below(1000, "answered")
    if drawn < rule.referred[entry.severity]:
        _refer(pen, opened, work)
    elif drawn < rule.referred[entry.severity] + rule.decided[entry.severity]:
        choice = chance.weighed({"monitor": 40, "no_action": 30, "seek_more": 20, "act_now": 10}, "choice")
        reviewer = chance.one(pen.cast.reviewers, "decides")
        pen.on_case(
            work.until,
            reviewer,
            "decide",
            opened.case,
            "decide",
            choice=choice,
            reason=chance.one(words.REASONS, "reason"),
        )
    return work


def end(pen: Pen, opened: Opened, work: Work, settled_on: datetime | None) -> None:
    """Write down how a case ends, if it does: as an account says, else as the rule draws it."""
    entry, chance, rule = pen.entry, pen.chance, pen.scenario.head.invented.endings
    if settled_on is None and not chance.falls(rule.resolved[entry.severity], "resolved"):
        return
    day = entry.last_day + timedelta(days=chance.between(*rule.after_days, "when"))
    at = settled_on or max(pen.moment(day, EVENING), opened.assessed + DAY)
    outcome, mechanism, by = chance.weighed(OUTCOMES.get(entry.kind, OTHERWISE), "outcome")
    if settled_on is not None:
        outcome, mechanism, by = "settled", "court", "others"
    who = chance.one(pen.cast.officers, "resolves")
    pen.on_case(at, who, "resolve", opened.case, "resolve", outcome=outcome, mechanism=mechanism, by=by)
    if not work.hangs and chance.falls(rule.closed, "closed"):
        pen.on_case(max(at, work.until) + DAY, who, "close", opened.case, "close", reason=words.CLOSED)


def _refer(pen: Pen, opened: Opened, work: Work) -> None:
    entry, chance = pen.entry, pen.chance
    purpose = chance.one(PURPOSES[entry.kind], "purpose")
    serving = [one for one in pen.scenario.head.recipients if purpose in one.purposes]
    fitting = [one for one in serving if entry.alleged not in one.conflicts_with] or serving
    recipient = chance.one(serving if chance.falls(150, "in spite") else fitting, "recipient")
    # A case as bad as this is answered at once; some are not, and the gap is told.
    at = opened.assessed + (0 if entry.severity is Severity.EXTREME else 1) * STEP
    if chance.falls(180, "too late"):
        at += chance.between(2, 5, "how late") * STEP
    consent = _consent(pen, opened.case, at, [one.recipient for one in serving], purpose)
    referral = _Referral(pen, opened.case, purpose, consent, "")
    course = chance.weighed(pen.scenario.head.invented.courses.model_dump(), "course")
    work.until = referral.send(recipient, at)
    work.until = referral.go(course, work.until)
    work.hangs = course == "silent"
    others = [one for one in fitting if one != recipient]
    if course == "declined" and others:
        again = _Referral(pen, opened.case, purpose, consent, " again")
        sent = again.send(chance.one(others, "instead"), work.until + STEP, follows=referral.made)
        work.until = again.go(chance.one(("confirmed", "unchecked"), "instead goes"), sent)


def _consent(pen: Pen, case: Made, at: datetime, recipients: list[str], purpose: Purpose) -> Made:
    chance = pen.chance
    concerned = pen.entry.kind in CONCERNS_PEOPLE
    refused = concerned and chance.falls(pen.scenario.head.invented.answers.consent_refused, "refused")
    basis = "refused" if refused else chance.one(("given", "guardian"), "basis") if concerned else "no_person_concerned"
    consent = pen.on_case(
        at,
        pen.cast.coordinator(pen.entry.unit),
        "consent",
        case,
        "record-consent",
        makes="consent",
        basis=basis,
        purposes=[purpose.value],
        recipients=recipients,
        reason=words.CONSENT_MISSING if refused else None,
    )
    if not refused:
        return consent
    return pen.on_case(
        at,
        chance.one(pen.cast.reviewers, "second person"),
        "act all the same",
        case,
        "act-without-consent",
        makes="consent",
        consent_id=consent,
        reason=words.RELEASED,
    )


class _Referral:
    """One referral of a case, from the check to whatever comes of it."""

    def __init__(self, pen: Pen, case: Made, purpose: Purpose, consent: Made, suffix: str) -> None:
        self._pen = pen
        self._case = case
        self._purpose = purpose
        self._consent = consent
        self._suffix = suffix
        self._chance = pen.chance.of("referral", suffix)
        self._recipient: Player | None = None
        self._act_by = pen.moment(pen.entry.last_day)
        self.made = Made("referral", "")

    def send(self, recipient: Recipient, at: datetime, follows: Made | None = None) -> datetime:
        """Check for harm and refer; returns when it was sent."""
        pen, chance = self._pen, self._chance
        checks, refers = chance.some(pen.cast.officers, 2, "officers")
        check = self._check(recipient, checks, at)
        self._recipient = pen.cast.recipient(recipient.recipient)
        self._act_by = at + (3 * DAY if pen.entry.severity is Severity.EXTREME else 7 * DAY)
        self.made = pen.on_case(
            at,
            refers,
            f"refer{self._suffix}",
            self._case,
            "refer",
            makes="referral",
            recipient=recipient.recipient,
            purpose=self._purpose.value,
            minimum_data=list(DATA.get(self._purpose, ("place", "dates", "kind", "severity"))),
            acknowledge_by=(at + DAY).isoformat(),
            act_by=self._act_by.isoformat(),
            check_id=check,
            consent_id=self._consent,
            follows=follows,
        )
        return at

    def _check(self, recipient: Recipient, officer: Player, at: datetime) -> Made:
        pen, alleged = self._pen, self._pen.entry.alleged
        verdict = "clear"
        if alleged in recipient.conflicts_with:
            verdict = "conflict"
        elif alleged is ActorClass.UNKNOWN:
            verdict = "unclear"
        check = pen.on_case(
            at,
            officer,
            f"check{self._suffix}",
            self._case,
            "check-harm",
            makes="check",
            recipient=recipient.recipient,
            purpose=self._purpose.value,
            verdict=verdict,
            valid_until=(at + 30 * DAY).isoformat(),
        )
        if verdict == "clear":
            return check
        return pen.on_case(
            at,
            self._chance.one(pen.cast.reviewers, "releases"),
            f"release{self._suffix}",
            self._case,
            "release-check",
            makes="check",
            check_id=check,
            reason=words.RELEASED,
        )

    def go(self, course: str, sent: datetime) -> datetime:
        """Write down how it goes; returns when the last step is taken."""
        chance, looks = self._chance, self._pen.cast.coordinator(self._pen.entry.unit)
        if course == "silent":
            if chance.falls(300, "undelivered"):
                self._act(sent + STEP, looks, "undelivered", "fail-delivery", means="phone")
            return sent + STEP
        if course == "revoked":
            at = sent + chance.between(2, 4, "revoked") * STEP
            reason = chance.one(("no_longer_needed", "harm_feared"), "revoked why")
            officer = chance.one(self._pen.cast.officers, "revokes")
            return self._act(at, officer, "revoke", "revoke", reason=reason)
        late = course == "late"
        at = self._step(sent + (chance.between(3, 4, "late") if late else 1) * STEP, "acknowledge")
        if course == "declined":
            reason = chance.one(("no_mandate", "lack_of_capacity", "unsafe", "not_credible"), "declined why")
            return self._step(at + chance.between(1, 2, "declined") * STEP, "decline", reason=reason)
        at = self._step(at + STEP, "accept")
        done = self._act_by + 2 * DAY if late else at + chance.between(1, 3, "done") * STEP
        if course == "unsuccessful":
            why = chance.one(("lack_of_capacity", "unable_to_contact_client", "refused_services"), "failed why")
            return self._step(done, "complete", successful=False, reason_not=why)
        done = self._step(done, "complete", successful=True)
        if course == "unchecked":
            return done
        checked = done + 2 * STEP
        if course == "contradicted":
            self._act(checked, looks, "look", "check-outcome", outcome="contradicted")
            done = self._step(checked + 6 * STEP, "complete", "complete after all", successful=True)
            return self._act(done + 2 * STEP, looks, "look again", "check-outcome", outcome="confirmed")
        return self._act(checked, looks, "look", "check-outcome", outcome="confirmed")

    def _step(self, at: datetime, what: str, name: str | None = None, **body: object) -> datetime:
        assert self._recipient is not None
        return self._act(at, self._recipient, name or what, what, **body)

    def _act(self, at: datetime, who: Player, name: str, what: str, **body: object) -> datetime:
        self._pen.on_case(at, who, f"{name}{self._suffix}", self._case, what, None, referral_id=self.made, **body)
        return at
