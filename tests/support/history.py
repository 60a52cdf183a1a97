"""A rich history: one of everything that can happen, with an unmistakable canary in every personal field.

It reads as a story: a threat in Gihanga is reported, doubted, believed, referred against a conflict, declined, done,
found undone, and ended. Whoever adds an event to the catalogue adds it here, or the acceptance test fails.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from events import alert as alerts
from events import custody, reference
from events import reporter as reporters
from events.case import ending, judging, linking, opening, protection, referral
from events.catalogue import read
from events.command import Command, read_command
from events.custody import ViewPurpose
from events.envelope import named_id
from events.report import decisions as reports
from events.vocabulary import Role
from services import clock
from services.acts import alert as alert_acts
from services.acts import case as case_acts
from services.acts import reference as reference_acts
from services.acts import report as report_acts
from services.acts import reporter as reporter_acts
from services.acts.network import Network
from services.desk.order import Order
from services.ledger.ledger import Accepted
from services.signs import Held

RULES = Path(__file__).parents[2] / "deploy" / "rules" / "burundi.toml"
GIHANGA = "bi:c2015:gihanga"
MPANDA = "bi:c2015:mpanda"
ELSEWHERE = "bi:c2015:gisuru"
ALLEGED = "identity_militias"
"""An actor class that stands in no register entry, so that its word in any byte is a leak."""

PHONES = {
    "aline": "+25779000001",
    "bede": "+25779000002",
    "chantal": "+25779000003",
    "deo": "+25779000004",
    "esther": "+25779000005",
    "fabien": "+25779000006",
}


CANARY = "intabaza-canary"
"""How every personal text and client's id of the story begins."""


def canary(name: str) -> str:
    """A text that nobody writes by chance."""
    return f"{CANARY}-{name}-{sha256(name.encode()).hexdigest()[:12]}-urubanza rw’umuturage 🕊"


@dataclass
class Story:
    """The people, what they did, and every text that must never be readable outside the vault."""

    network: Network
    people: dict[str, UUID]
    canaries: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[Order[Command], Accepted]] = field(default_factory=list)
    again: list[Callable[[], Awaitable[Accepted]]] = field(default_factory=list)
    """Sends each order of `answers` another time."""

    def text(self, name: str) -> str:
        self.canaries[name] = canary(name)
        return self.canaries[name]

    def order(self, who: str, role: Role, command: type[Command], target: object, /, **fields: Any) -> Order[Any]:
        client_id = self.text(f"client-id-{len(self.canaries)}")
        return Order(self.people[who], role, client_id, read_command(command, fields), str(target))

    async def send(self, order: Order[Any], act: Callable[..., Awaitable[Accepted]], *facts: Any) -> Accepted:
        """Let an act happen that is asked for with these facts."""
        again = partial(act, self.network, order, *facts)
        accepted = await again()
        self.answers.append((order, accepted))
        self.again.append(again)
        return accepted

    async def register(self, command: type[Command], /, **fields: Any) -> Accepted:
        order = self.order("fabien", Role.ADMIN, command, "register", **fields)
        return await self.send(order, reference_acts.act)

    async def reporter(self, who: str, command: type[Command], home: str, /, **fields: Any) -> Accepted:
        order = self.order("fabien", Role.COORDINATOR, command, who, **fields)
        return await self.send(order, reporter_acts.act, self.people[who], home)

    async def check_in(self, who: str, home: str, /, **fields: Any) -> Held:
        """A sign of life that somebody typed in; it is on the log when its day is over."""
        order = self.order("fabien", Role.COORDINATOR, reporters.CheckIn, who, **fields)
        return await reporter_acts.check_in(self.network, order, self.people[who], home)

    async def receive(self, who: str, speaks_of: Set[UUID] = frozenset(), /, **fields: Any) -> UUID:
        """A message from somebody, whose texts are known to speak of some people."""
        fields = {"channel": "sms", "language": "rn", "kind": "tension", "received_at": clock.now()} | fields
        order = self.order(who, Role.REPORTER, reports.Receive, "report", **fields)
        await self.send(order, report_acts.receive, self.people[who], frozenset(speaks_of))
        return report_acts.report_id_of(self.network, order)

    async def report(
        self, who: str, role: Role, command: type[Command], about: UUID, for_whom: str | None = None, /, **fields: Any
    ) -> Accepted:
        order = self.order(who, role, command, about, **fields)
        order = replace(order, on_behalf_of=self.people[for_whom] if for_whom else None)
        return await self.send(order, report_acts.act, about)

    async def supersede(self, who: str, report_id: UUID, **fields: Any) -> UUID:
        order = self.order(who, Role.COORDINATOR, reports.Supersede, report_id, **fields)
        await self.send(order, report_acts.supersede, report_id)
        return report_acts.report_id_of(self.network, order)

    async def open(self, who: str, role: Role, **fields: Any) -> UUID:
        order = self.order(who, role, opening.OpenCase, "case", place_precision="commune", **fields)
        await self.send(order, case_acts.open_case)
        return case_acts.case_id_of(self.network, order)

    async def case(self, who: str, role: Role, command: type[Command], about: UUID, /, **fields: Any) -> Accepted:
        order = self.order(who, role, command, about, **fields)
        acts: dict[type[Command], Any] = {linking.Merge: case_acts.merge, linking.ReverseMerge: case_acts.reverse_merge}
        return await self.send(order, acts.get(command, case_acts.act), about)

    async def consent(self, who: str, about: UUID, given_by: str | None = None, /, **fields: Any) -> Accepted:
        """A consent that somebody the vault knows gave, or refused, and somebody else recorded."""
        order = self.order(who, Role.REVIEWER, protection.RecordConsent, about, **fields)
        return await self.send(order, case_acts.record_consent, about, self.people[given_by] if given_by else None)

    async def vote(self, about: UUID, *names: str) -> tuple[UUID, ...]:
        """How a committee voted, as an assessment names it: by the pseudonyms that its members have about the case."""
        persons = self.network.desk.persons
        return tuple([await persons.pseudonym(self.people[name], about) for name in names])

    async def newest(self, stream: str) -> Mapping[str, Any]:
        """The data of a stream's last event."""
        rows = await self.network.desk.ledger.read_stream(stream)
        return read(rows[-1].wire()).data.wire_data()


async def tell(story: Story) -> None:
    """Let everything happen."""
    await the_registers(story)
    await the_reporters(story)
    report_id, other_id = await the_reports(story)
    case_id = await the_case(story, report_id, other_id)
    await the_referrals(story, case_id)
    await the_end(story, case_id, other_id)
    await the_alerts(story)
    await the_view(story, report_id)
    await the_export(story, case_id)


async def the_registers(story: Story) -> None:
    content = RULES.read_text("utf-8")
    await story.register(
        reference.AdoptRules, rule_set="first", content=content, content_hash=sha256(content.encode()).hexdigest()
    )
    gazetteer = story.network.gazetteer
    await story.register(
        reference.AdoptGazetteer,
        gazetteer="burundi",
        content=gazetteer.content(),
        content_hash=gazetteer.content_hash,
    )
    for recipient, conflicts in (("community-police-gihanga", ["state_forces"]), ("health-centre-gihanga", [])):
        await story.register(
            reference.RegisterRecipient,
            recipient=recipient,
            recipient_class="community_police" if conflicts else "health_facility",
            label=recipient,
            serves=[GIHANGA],
            purposes=["protection", "medical"],
            conflicts_with=conflicts,
        )
    await story.register(
        reference.DateElection,
        election="legislative-2025",
        round="legislative",
        standing="held",
        on="2025-06-05",
        source="africanews, 5 June 2025",
    )
    await story.register(reference.AdoptEngine, projection="alert_level", number=1)
    # of this very moment: where an hour ended just now, the relay has told so, and nothing earlier can follow
    await story.register(reference.Tick, nominal=clock.now() - timedelta(milliseconds=1), reason="hour")
    home = gazetteer.home_of(ELSEWHERE)
    await story.register(reference.WaiveEvent, projection="alert_level", key=home, position=1_000_000, why="unreadable")


async def the_reporters(story: Story) -> None:
    home = story.network.gazetteer.home_of(GIHANGA)
    await story.reporter(
        "aline",
        reporters.Enrol,
        home,
        languages=["rn"],
        channels=["sms"],
        trained=True,
        person_name=story.text("reporter name"),
        contact=story.text("reporter contact"),
    )
    await story.reporter("aline", reporters.AssignCoverage, home, units=[GIHANGA], channel="sms", cadence_days=7)
    on = clock.now().date() - timedelta(days=1)
    held = await story.check_in("aline", home, on=on, channel="sms", nothing_to_report=True, felt_safety=3)
    await story.network.desk.signs.record(held.until)
    await story.reporter("aline", reporters.StandDownReporter, home, reason="safety", note=story.text("stood down"))


async def the_reports(story: Story) -> tuple[UUID, UUID]:
    report_id = await story.receive(
        "aline",
        unit=GIHANGA,
        place_precision="hill",
        basis="witnessed",
        occurred={"from": clock.now().date() - timedelta(days=2)},
        harm=[{"what": "injured", "min": 1}],
        text=story.text("report text"),
        place_words=story.text("report place words"),
        exact_times=story.text("report exact times"),
        sub_kind=story.text("report sub-kind"),
        actor_class=ALLEGED,
        contact=story.text("report contact"),
    )
    for who, credibility in (("bede", "2"), ("chantal", "2"), ("deo", "4")):
        await story.report(
            who,
            Role.REVIEWER,
            reports.Grade,
            report_id,
            round=1,
            reliability="F",
            credibility=credibility,
            note=story.text(f"grade note of {who}"),
        )
    await story.report("esther", Role.REVIEWER, reports.Recuse, report_id, round=1, reason="concerned")
    await story.report("bede", Role.REVIEWER, reports.Conclude, report_id, round=1, reliability="F", credibility="2")
    await story.report(
        "aline",
        Role.REPORTER,
        reports.Correct,
        report_id,
        text=story.text("corrected text"),
        reason=story.text("correction reason"),
    )
    await story.report(
        "fabien",
        Role.COORDINATOR,
        reports.Correct,
        report_id,
        "aline",
        unit=MPANDA,
        place_precision="commune",
        reason=story.text("better place"),
    )
    lost_id = await story.receive("chantal", text=story.text("unplaced text"), place_words=story.text("unplaced words"))
    other_id = await story.supersede("fabien", lost_id, unit=MPANDA, place_precision="commune")
    wrong_id = await story.receive("deo", unit=GIHANGA, text=story.text("withdrawn text"))
    await story.report(
        "deo", Role.REPORTER, reports.Withdraw, wrong_id, reason="duplicate", note=story.text("withdrawal note")
    )
    return report_id, other_id


async def the_case(story: Story, report_id: UUID, other_id: UUID) -> UUID:
    officer = Role.REFERRAL_OFFICER
    case_id = await story.open(
        "fabien",
        officer,
        kind="violence",
        unit=GIHANGA,
        reports=[{"report_id": report_id, "independent": "unknown"}],
        summary=story.text("case summary"),
        actor_class="unknown",
    )
    await story.case(
        "fabien",
        officer,
        opening.Classify,
        case_id,
        kind="violence",
        sub_kind=story.text("case sub-kind"),
        actor_class=ALLEGED,
    )
    if story.network.gazetteer.home_of(MPANDA) == story.network.gazetteer.home_of(GIHANGA):
        await story.case("fabien", officer, linking.LinkReport, case_id, report_id=other_id, independent="yes")
        await story.case(
            "fabien", officer, linking.UnlinkReport, case_id, report_id=other_id, reason=story.text("unlinked")
        )
    far_id = await story.open(
        "fabien",
        Role.COORDINATOR,
        kind="tension",
        unit=ELSEWHERE,
        threat_to_life=True,
        provisional=True,
        summary=story.text("provisional summary"),
    )
    twin_id = await story.open(
        "fabien",
        Role.COORDINATOR,
        kind="violence",
        unit=GIHANGA,
        threat_to_life=True,
        provisional=True,
        severity="moderate",
        summary=story.text("twin summary"),
    )
    for relating in (linking.Relate, linking.Unrelate):
        await story.case("fabien", officer, relating, case_id, case_id=far_id, relation="spread_from")
    for merging in (linking.Merge, linking.ReverseMerge):
        await story.case("fabien", officer, merging, case_id, into=twin_id)
    await story.case(
        "bede", Role.REVIEWER, opening.Ratify, far_id, in_favour=await story.vote(far_id, "bede", "chantal")
    )
    await story.case(
        "bede",
        Role.REVIEWER,
        opening.NotRatify,
        twin_id,
        in_favour=await story.vote(twin_id, "bede", "chantal"),
        reason=story.text("not ratified"),
    )
    (dissenter,) = await story.vote(case_id, "deo")
    await story.case(
        "bede",
        Role.REVIEWER,
        judging.Assess,
        case_id,
        round=1,
        verification_state="probably_true",
        credibility="2",
        severity="severe",
        in_favour=await story.vote(case_id, "bede", "chantal"),
        recused=await story.vote(case_id, "esther"),
        dissent=[{"by": dissenter, "severity": "moderate", "note": story.text("dissent")}],
        evidence=[report_id],
        note=story.text("assessment note"),
    )
    await story.case(
        "bede", Role.REVIEWER, judging.RecordHarm, case_id, what="injured", min=1, max=3, basis="witnessed"
    )
    await story.case("fabien", officer, judging.Decide, case_id, choice="refer", reason=story.text("decision reason"))
    return case_id


async def the_referrals(story: Story, case_id: UUID) -> None:
    officer, soon = Role.REFERRAL_OFFICER, clock.now() + timedelta(hours=2)
    later, stream = soon + timedelta(days=2), f"case/{case_id}"

    async def checked(recipient: str, purpose: str, verdict: str) -> str:
        await story.case(
            "bede",
            Role.REVIEWER,
            protection.CheckHarm,
            case_id,
            recipient=recipient,
            purpose=purpose,
            verdict=verdict,
            valid_until=later,
            reason=story.text(f"check reason {recipient}"),
        )
        return str((await story.newest(stream))["check_id"])

    async def consented(basis: str, purpose: str, recipient: str) -> str:
        await story.consent(
            "bede",
            case_id,
            "aline" if basis == "given" else None,
            basis=basis,
            purposes=[purpose],
            recipients=[recipient],
            person=story.text(f"consent person {basis}"),
            reason=story.text(f"consent reason {basis}"),
        )
        return str((await story.newest(stream))["consent_id"])

    async def referred(recipient: str, purpose: str, check_id: str, consent_id: str) -> str:
        await story.case(
            "fabien",
            officer,
            referral.Refer,
            case_id,
            recipient=recipient,
            purpose=purpose,
            minimum_data=["place", "kind"],
            acknowledge_by=soon,
            act_by=later,
            check_id=check_id,
            consent_id=consent_id,
            note=story.text(f"referral note {purpose}"),
        )
        return str((await story.newest(stream))["referral_id"])

    police, health = "community-police-gihanga", "health-centre-gihanga"
    unclear_id = await checked(police, "protection", "unclear")
    await story.case(
        "chantal",
        Role.REVIEWER,
        protection.ReleaseCheck,
        case_id,
        check_id=unclear_id,
        reason=story.text("release reason"),
    )
    released_id = str((await story.newest(stream))["check_id"])
    refused_id = await consented("not_possible", "protection", police)
    await story.case(
        "chantal",
        Role.REVIEWER,
        protection.ActWithoutConsent,
        case_id,
        consent_id=refused_id,
        reason=story.text("without consent"),
    )
    without_id = str((await story.newest(stream))["consent_id"])
    first_id = await referred(police, "protection", released_id, without_id)
    await story.case("fabien", officer, referral.FailDelivery, case_id, referral_id=first_id, means="phone")
    await story.case(
        "fabien",
        officer,
        referral.MoveDeadline,
        case_id,
        referral_id=first_id,
        acknowledge_by=soon,
        act_by=later,
        reason=story.text("deadline reason"),
    )
    for step in (referral.Acknowledge, referral.Accept):
        await story.case("esther", Role.RECIPIENT, step, case_id, referral_id=first_id)
    await story.case(
        "esther",
        Role.RECIPIENT,
        referral.Complete,
        case_id,
        referral_id=first_id,
        successful=True,
        note=story.text("completion note"),
    )
    await story.case(
        "bede",
        Role.COORDINATOR,
        referral.CheckOutcome,
        case_id,
        referral_id=first_id,
        outcome="contradicted",
        note=story.text("outcome note"),
    )
    await story.case(
        "esther",
        Role.RECIPIENT,
        referral.Decline,
        case_id,
        referral_id=first_id,
        reason="unsafe",
        note=story.text("decline note"),
    )
    clear_id = await checked(health, "medical", "clear")
    given_id = await consented("given", "medical", health)
    second_id = await referred(health, "medical", clear_id, given_id)
    await story.case(
        "fabien",
        officer,
        judging.RecordAction,
        case_id,
        what="medical_help",
        by="network",
        referral_id=second_id,
        note=story.text("action note"),
    )
    await story.case(
        "fabien",
        officer,
        referral.Revoke,
        case_id,
        referral_id=second_id,
        reason="no_longer_needed",
        note=story.text("revocation note"),
    )
    await story.case("fabien", officer, protection.WithdrawConsent, case_id, consent_id=given_id)


async def the_end(story: Story, case_id: UUID, new_evidence: UUID) -> None:
    officer = Role.REFERRAL_OFFICER
    await story.case(
        "fabien",
        officer,
        ending.Resolve,
        case_id,
        outcome="settled",
        mechanism="mediation",
        by="community",
        note=story.text("resolution note"),
    )
    await story.case("fabien", officer, ending.Close, case_id, reason=story.text("closing reason"))
    await story.case(
        "fabien",
        officer,
        ending.Reopen,
        case_id,
        reason="new_evidence",
        reports=[{"report_id": new_evidence, "independent": "yes"}],
        note=story.text("reopening note"),
    )


async def the_alerts(story: Story) -> None:
    until = clock.now() + timedelta(days=3)
    for command, fields in (
        (alerts.Override, {"level": 2, "until": until, "reason": "local_knowledge", "note": story.text("why told")}),
        (alerts.EndOverride, {"note": story.text("why told no more")}),
    ):
        row = story.network.gazetteer.row_at(GIHANGA)
        order = story.order("bede", Role.REVIEWER, command, row, unit=row, **fields)
        await story.send(order, alert_acts.act)
    silenced = {"unit": row, "until": until, "reason": "planned_event", "note": story.text("why silenced")}
    begun = story.order("bede", Role.REVIEWER, alerts.Silence, row, **silenced)
    await story.send(begun, alert_acts.act)
    silence_id = named_id(story.network.desk.command_id(begun), "silence")
    over = {"unit": row, "silence_id": silence_id, "note": story.text("why silenced no more")}
    await story.send(story.order("bede", Role.REVIEWER, alerts.EndSilence, row, **over), alert_acts.act)


async def the_view(story: Story, report_id: UUID) -> Sequence[str]:
    """A reviewer reads the report's text, which is itself on the log."""
    (received, *_) = await story.network.desk.ledger.read_stream(f"report/{report_id}")
    order = story.order("bede", Role.REVIEWER, reports.Withdraw, report_id, reason="false")
    act = await story.network.desk.act(order, report_id)
    texts = await story.network.opener.unseal(received, ["text"], act, ViewPurpose.REVIEW)
    return [text.get_secret_value() for text in texts.values()]


async def the_export(story: Story, case_id: UUID) -> None:
    """An auditor takes the case away."""
    rows = await story.network.desk.ledger.read_stream(f"case/{case_id}")
    order = story.order("deo", Role.AUDITOR, reports.Withdraw, case_id, reason="false")
    act = await story.network.desk.act(order, case_id)
    taken = custody.export(
        exported=f"case/{case_id}",
        up_to=rows[-1].position,
        events=len(rows),
        manifest_hash=sha256(b"a manifest").hexdigest(),
        purpose=ViewPurpose.AUDIT,
    )
    await story.network.opener.record(f"case/{case_id}", rows[0].home, taken, act)
