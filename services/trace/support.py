"""What each event rests on, by going once through what happened in the order in which it held."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from projections.alert_level.case import LOST
from services.trace.events import ESCALATED, LEVEL, OF_MIDNIGHT, OVERDUE, REFERRED, Told

NOTHING: frozenset[str] = frozenset()
SAID: Mapping[str, tuple[str, ...]] = {
    "case.classified": (),
    "case.resolved": (),
    "case.closed": (),
    "case.reopened": ("case.resolved", "case.closed"),
}
"""What holds of a case until it is said anew, beside what the committee makes of it; and what each puts an end to."""

JUDGED = frozenset({"case.assessed", "case.ratified", "case.not_ratified"})
CITED_AS: Mapping[str, str] = {"case.harm_checked": "check_id", "case.consent_recorded": "consent_id"}
CITED_BY_A_REFERRAL = ("check_id", "consent_id", "follows")


@dataclass(slots=True)
class _Case:
    opened: str | None = None
    links: dict[str, str] = field(default_factory=dict)
    judged: frozenset[str] = NOTHING
    said: dict[str, str] = field(default_factory=dict)
    into: str | None = None
    absorbed: dict[str, frozenset[str]] = field(default_factory=dict)


class Support:
    """What cases stand on as their events are taken, one after the other."""

    def __init__(self) -> None:
        self._cases: dict[str, _Case] = {}
        self._before: dict[str, frozenset[str]] = {}
        self._referrals: dict[str, frozenset[str]] = {}
        self._cited: dict[str, frozenset[str]] = {}

    def take(self, told: Told) -> frozenset[str]:
        """Take the next event: what it rests on, by `Told.token`."""
        kind = told.row.stream.partition("/")[0]
        if kind == "report":
            return self._report(told)
        if kind == "case":
            return self._case_event(told)
        if told.row.type in (LEVEL, OVERDUE, ESCALATED):
            referral = told.data.get("referral_id")
            of_cases = (self.of(case_id) for case_id in told.cases)
            return NOTHING.union(*of_cases, self._referrals.get(str(referral), NOTHING))
        return NOTHING

    def of(self, case_id: str) -> frozenset[str]:
        """What a case stands on now."""
        return self._known(case_id) | self._case(case_id).judged

    def _known(self, case_id: str, above: frozenset[str] = NOTHING) -> frozenset[str]:
        """What a case stands on but for what the committee made of it; with all that is merged into it."""
        case = self._case(case_id)
        reports = (self._message(report) for report in case.links)
        opened = () if case.opened is None else (case.opened,)
        own = NOTHING.union(opened, case.links.values(), case.said.values(), *reports, *case.absorbed.values())
        below = above | {case_id}
        merged = (self._known(one, below) | self._case(one).judged for one in sorted(case.absorbed.keys() - below))
        return own.union(*merged)

    def _message(self, report: str) -> frozenset[str]:
        """A report with what it was received as before."""
        return self._before.get(report, NOTHING) | {report}

    def _case(self, case_id: str) -> _Case:
        return self._cases.setdefault(case_id, _Case())

    def _report(self, told: Told) -> frozenset[str]:
        stream = told.row.stream
        if told.row.type in LOST:
            for case in self._cases.values():
                case.links.pop(stream, None)
        elif carried := told.data.get("carried"):
            self._before[stream] = self._message(f"report/{carried['supersedes']}")
            return self._before[stream]
        return NOTHING

    def _case_event(self, told: Told) -> frozenset[str]:
        case_id, type_, data = told.record_id, told.row.type, told.data
        case = self._case(case_id)
        if type_ == "case.opened":
            case.opened = told.token
            return NOTHING
        if type_ == "case.report_linked":
            report = f"report/{data['report_id']}"
            case.links[report] = told.token
            return self._message(report) | {case.opened or told.token} - {told.token}
        if type_ == "case.report_unlinked":
            case.links.pop(f"report/{data['report_id']}", None)
            return self.of(case_id)
        if type_ in JUDGED:
            known = self._known(case_id)
            case.judged = known | {told.token}
            return known
        if (referral := data.get("referral_id")) is not None:
            if type_ == REFERRED:
                rests = self.of(case_id).union(*(self._of_cited(data.get(name)) for name in CITED_BY_A_REFERRAL))
                self._referrals[referral] = rests | {told.token}
                return rests
            return self._referrals.get(referral, NOTHING) or self.of(case_id)
        if (cited := data.get(CITED_AS.get(type_, ""))) is not None:
            rests = self.of(case_id) | self._of_cited(data.get("releases"))
            self._cited[cited] = rests - self.of(case_id) | {told.token}
            return rests
        return self._told(case, told)

    def _told(self, case: _Case, told: Told) -> frozenset[str]:
        """Take what is no judgement and no referral: what a case stood on when it was said."""
        case_id, type_, data = told.record_id, told.row.type, told.data
        rests = self.of(case_id)
        if type_ in SAID:
            for ended in SAID[type_]:
                case.said.pop(ended, None)
            case.said[type_] = told.token
        elif type_ == "case.merged" and "into" in data:
            self._part(case_id)
            case.into = data["into"]
            self._case(case.into).absorbed[case_id] = frozenset({told.token})
        elif type_ == "case.merged" and data.get("absorbed") in case.absorbed:
            case.absorbed[data["absorbed"]] |= {told.token}
        elif type_ == "case.merge_reversed" and "into" in data:
            self._part(case_id)
        return rests

    def _of_cited(self, cited: str | None) -> frozenset[str]:
        """What a harm check, a consent or an earlier referral adds to what its case stands on."""
        if cited is None:
            return NOTHING
        return self._cited.get(cited, NOTHING) | self._referrals.get(cited, NOTHING)

    def _part(self, case_id: str) -> None:
        case = self._case(case_id)
        if case.into is not None:
            self._case(case.into).absorbed.pop(case_id, None)
            case.into = None


def follow(happened: Iterable[Told], shared: Collection[datetime] = ()) -> Mapping[str, tuple[Told, frozenset[str]]]:
    """Each event by its id, with what it rests on.

    `shared` are moments at which several commands were recorded: which of them a change of a level then came before
    nobody can tell any more, so it rests on all that any of its cases stood on at that moment. So does one that a
    midnight made, with what was recorded at that very moment.
    """
    everything = list(happened)
    opened = {one.record_id: one.moment for one in everything if one.row.type == "case.opened"}
    support = Support()
    rests: dict[str, tuple[Told, frozenset[str]]] = {}
    in_order = sorted(everything, key=lambda one: _held(one, opened))
    for moment, at_once in groupby(in_order, lambda one: _held(one, opened)[0]):
        events = list(at_once)
        changes = [one for one in events if one.row.type == LEVEL]
        undecided = [one for one in changes if moment in shared or one.data["cause"] in OF_MIDNIGHT]
        stood = [support.take(one) for one in undecided]
        for told in events:
            rests[str(told.row.event_id)] = told, support.take(told)
            stood = [before | support.take(one) for before, one in zip(stood, undecided, strict=True)]
        rests |= {str(one.row.event_id): (one, on) for one, on in zip(undecided, stood, strict=True)}
    return rests


def _held(told: Told, opened: Mapping[str, datetime]) -> tuple[datetime, int, int]:
    """When an event held. Rules adopted later may find an answer overdue before its case was opened."""
    moment, rank, position = told.order
    if told.row.type in (OVERDUE, ESCALATED):
        return max(moment, opened.get(told.cases[0], moment)), rank, position
    return moment, rank, position
