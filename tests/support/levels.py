"""A log about levels: cases that begin, are judged and end, in a few words; rules and what else everybody is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from events import reference, reporter
from events.alert import AlertIssued, AlertOverridden, AlertOverrideEnded, OverrideReason
from events.case import events as cases
from events.level import LevelChanged
from events.places.gazetteer import Gazetteer
from events.report.events import ReportReceived, ReportWithdrawn
from events.vocabulary import (
    CaseOutcome,
    Channel,
    Circulating,
    Credibility,
    Dated,
    Independence,
    Kind,
    Located,
    Mechanism,
    PlacePrecision,
    Quorum,
    ReasonReopened,
    Resolver,
    Severity,
    VerificationState,
    Withdrawal,
)
from projections.alert_level import PROJECTION
from projections.alert_level.rows import case_of, unit_read
from projections.projection import Derived, Projection
from projections.rule_set import hash_of
from tests.support.domain import HOME, one
from tests.support.projected import folded
from tests.support.written import SEALED, Written

FIRST_RULES = (Path(__file__).parents[2] / "deploy" / "rules" / "burundi.toml").read_text("utf-8")
UNIT = "commune:kayanza"


class Log(Written):
    """`log.opened("a", kind="violence")`; ids follow from names, places are written as units."""

    def after(self, **later: float) -> Log:
        super().after(**later)
        return self

    def rules(self, text: str = FIRST_RULES) -> Log:
        adopted = reference.RulesAdopted(rule_set="rules", content_hash=hash_of(text), content=text)
        self.write("reference/rules", adopted)
        return self

    def gazetteer(self, gazetteer: Gazetteer) -> Log:
        content = gazetteer.content()
        adopted = reference.GazetteerAdopted(gazetteer="g", content_hash=gazetteer.content_hash, content=content)
        self.write("reference/gazetteer", adopted)
        return self

    def engine(self, number: int = 1, projection: str = "alert_level") -> Log:
        self.write("reference/engines", reference.EngineAdopted(projection=projection, number=number))
        return self

    def election(
        self,
        on: date,
        *,
        name: str = "presidential-2027",
        round: str = "presidential",
        standing: str = "announced",
        campaign_from: date | None = None,
    ) -> Log:
        dated = reference.ElectionDated(
            election=name,
            round=reference.ElectionRound.read(round),
            standing=reference.ElectionStanding.read(standing),
            on=on,
            campaign_from=campaign_from,
            source="the commission",
        )
        self.write("reference/elections", dated)
        return self

    def tick(self) -> Log:
        self.write("reference/clock", reference.ClockTicked(nominal=self.now, reason=reference.TickReason.HOUR))
        return self

    def days(self, number: int) -> Log:
        """Let days go by, and tick."""
        self.after(days=number)
        return self.tick()

    def overridden(self, level: int, *, unit: str = UNIT, home: str = HOME, hours: float = 24) -> Log:
        """People tell this level of a unit for so many hours."""
        until = self.now + timedelta(hours=hours)
        reason = OverrideReason.LOCAL_KNOWLEDGE
        self.write(f"alert/{unit}", AlertOverridden(unit=unit, level=level, until=until, reason=reason), home=home)
        return self

    def override_ended(self, *, unit: str = UNIT, home: str = HOME) -> Log:
        self.write(f"alert/{unit}", AlertOverrideEnded(unit=unit), home=home)
        return self

    def case(self, name: str, *events: Any, home: str = HOME) -> Log:
        self.write(f"case/{one(name)}", *events, home=home)
        return self

    def opened(
        self,
        name: str,
        kind: str = "violence",
        *,
        unit: str = UNIT,
        home: str = HOME,
        occurred: int | tuple[int, int] | None = 0,
        expected: int | None = None,
        precision: str = "day",
        severity: str | None = None,
        threat: bool = False,
        provisional: bool = False,
        reports: tuple[str, ...] = (),
    ) -> Log:
        """`occurred` and `expected` are days from today, `occurred` backwards."""
        today = self.now.date()
        span = occurred if isinstance(occurred, tuple) or occurred is None else (occurred, occurred)
        event = cases.CaseOpened(
            kind=Kind.read(kind),
            place=Located(unit=unit, precision=PlacePrecision.COMMUNE, gazetteer="g"),
            occurred=span and _dated(today - timedelta(days=span[0]), today - timedelta(days=span[1]), precision),
            expected=None if expected is None else _dated(today, today + timedelta(days=expected), precision),
            threat_to_life=threat,
            provisional=provisional,
            severity=severity and Severity.read(severity),
            summary=SEALED,
        )
        self.case(name, event, home=home)
        for report in reports:
            self.linked(name, report, home=home)
        return self

    def linked(self, name: str, report: str, *, home: str = HOME) -> Log:
        return self.case(
            name, cases.CaseReportLinked(report_id=one(report), independent=Independence.UNKNOWN), home=home
        )

    def unlinked(self, name: str, report: str, *, home: str = HOME) -> Log:
        return self.case(name, cases.CaseReportUnlinked(report_id=one(report), reason=SEALED), home=home)

    def links(self, name: str, report: str) -> bool:
        """Whether a case was linked to a report, and not unlinked since."""
        mine = [event for event in self.events if event.stream == f"case/{one(name)}"]
        told = [event.type for event in mine if event.data.get("report_id") == str(one(report))]
        return told[-1:] == ["case.report_linked"]

    def withdrawn(self, report: str, *, home: str = HOME) -> Log:
        self.write(f"report/{one(report)}", ReportWithdrawn(reason=Withdrawal.FALSE), home=home)
        return self

    def received(
        self,
        report: str,
        *,
        unit: str = UNIT,
        channel: str = "sms",
        recorded_by: str = "self",
        days_ago: float = 0,
        home: str = HOME,
    ) -> Log:
        """A report, received at the door so many days before it was recorded."""
        event = ReportReceived.model_validate(
            {
                "channel": channel,
                "language": "rn",
                "kind": "tension",
                "basis": "witnessed",
                "recorded_by": recorded_by,
                "people_agree_to_share": "not_asked",
                "place": {"unit": unit, "precision": "commune", "gazetteer": "g"},
                "urgency": "unknown",
                "received_at": self.now - timedelta(days=days_ago),
                "text": SEALED,
            }
        )
        self.write(f"report/{one(report)}", event, home=home)
        return self

    def assigned(self, name: str, *units: str, channel: str = "sms", cadence_days: int = 1, home: str = HOME) -> Log:
        event = reporter.ReporterCoverageAssigned(
            units=units or (UNIT,), channel=Channel.read(channel), cadence_days=cadence_days
        )
        self.write(f"reporter/{one(name)}", event, home=home)
        return self

    def checked_in(self, name: str, *, days_ago: int = 0, channel: str = "sms", home: str = HOME) -> Log:
        """A sign of life of a day so many days before it was recorded."""
        on = self.now.date() - timedelta(days=days_ago)
        event = reporter.ReporterCheckedIn(on=on, channel=Channel.read(channel))
        self.write(f"reporter/{one(name)}", event, home=home)
        return self

    def stood_down(self, name: str, *, home: str = HOME) -> Log:
        event = reporter.ReporterStoodDown(reason=reporter.StandDown.OWN_WISH)
        self.write(f"reporter/{one(name)}", event, home=home)
        return self

    def assessed(
        self,
        name: str,
        severity: str = "severe",
        credibility: str = "1",
        *,
        circulating: str = "unknown",
        state: str = "confirmed_true",
        home: str = HOME,
    ) -> Log:
        event = cases.CaseAssessed(
            round=1,
            verification_state=VerificationState.read(state),
            credibility=Credibility.read(credibility),
            severity=Severity.read(severity),
            circulating=Circulating.read(circulating),
            quorum=_QUORUM,
        )
        return self.case(name, event, home=home)

    def classified(self, name: str, kind: str, *, home: str = HOME) -> Log:
        return self.case(name, cases.CaseClassified(kind=Kind.read(kind), actor_class_changed=False), home=home)

    def ratified(self, name: str, *, home: str = HOME) -> Log:
        return self.case(name, cases.CaseRatified(quorum=_QUORUM), home=home)

    def not_ratified(self, name: str, *, home: str = HOME) -> Log:
        return self.case(name, cases.CaseNotRatified(quorum=_QUORUM, reason=SEALED), home=home)

    def resolved(self, name: str, outcome: str = "settled", *, home: str = HOME) -> Log:
        event = cases.CaseResolved(
            outcome=CaseOutcome.read(outcome), mechanism=Mechanism.MEDIATION, by=Resolver.COMMUNITY
        )
        return self.case(name, event, home=home)

    def reopened(self, name: str, reason: str = "new_evidence", *, home: str = HOME) -> Log:
        return self.case(name, cases.CaseReopened(reason=ReasonReopened.read(reason)), home=home)

    def closed(self, name: str, *, home: str = HOME) -> Log:
        return self.case(name, cases.CaseClosed(reason=SEALED), home=home)

    def merged(self, name: str, into: str, *, home: str = HOME) -> Log:
        self.case(name, cases.CaseMerged(into=one(into)), home=home)
        return self.case(into, cases.CaseMerged(absorbed=one(name)), home=home)

    def merge_reversed(self, name: str, into: str, *, home: str = HOME) -> Log:
        self.case(name, cases.CaseMergeReversed(into=one(into)), home=home)
        return self.case(into, cases.CaseMergeReversed(absorbed=one(name)), home=home)


_QUORUM = Quorum(eligible=4, recused=0, required=2, in_favour=3)


def _dated(starts: date, ends: date, precision: str) -> Dated:
    return Dated.model_validate({"from": starts, "to": ends, "precision": precision})


@dataclass(frozen=True)
class Stood:
    """What a fold left behind: units by id, the history, and what was said, in order."""

    units: dict[str, dict[str, Any]]
    history: list[dict[str, Any]]
    cases: dict[UUID, dict[str, Any]]
    derived: list[Derived]

    @property
    def changes(self) -> list[LevelChanged]:
        return [one.data for one in self.derived if isinstance(one.data, LevelChanged)]

    @property
    def alerts(self) -> list[AlertIssued]:
        return [one.data for one in self.derived if isinstance(one.data, AlertIssued)]

    def level(self, unit: str = UNIT) -> int | None:
        return self.units[unit]["level"]  # type: ignore[no-any-return]

    def points(self, unit: str = UNIT) -> int:
        return self.units[unit]["points"]  # type: ignore[no-any-return]

    def weight(self, name: str) -> dict[str, Any]:
        """What a case weighs, and whether it was laid by."""
        return self.cases[one(name)]

    def told(self, unit: str = UNIT) -> list[tuple[int, int, str]]:
        """The unit's history: from, to, cause."""
        return [(line["before"], line["after"], line["cause"]) for line in self.history if line["unit"] == unit]


_HISTORY = ("engine", "unit", "number", "home", "before", "after", "cause", "effective_at", "explanation")


def stood(log: Log, projection: Projection[Any, Any] = PROJECTION, engine: int = 1) -> Stood:
    """Fold a log, one event a batch, and look at one engine's rows."""
    page, derived = folded(projection, log.events)
    rows = [unit_read(row) for row in page.rows.get("unit", ()) if row[0] == engine]
    lines = [dict(zip(_HISTORY, row, strict=True)) for row in page.rows.get("history", ()) if row[0] == engine]
    cases = {
        UUID(case_id): case_of(case_id, unit, body).weight._asdict() | {"laid_by": laid_by}
        for number, case_id, _, unit, laid_by, body in page.rows.get("case", ())
        if number == engine
    }
    return Stood({row["unit"]: row for row in rows}, lines, cases, derived)
