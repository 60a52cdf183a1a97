"""The rich history told through the API: every command there is, each as the example that its description shows.

Whoever adds a command adds it here, or the acceptance test fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from services import clock
from services.acts.adopting import KNOWN_ENGINES
from services.api.commanding import Route
from services.api.commands import ROUTES
from services.api.examples import EXAMPLES, GISURU, HEALTH, MPANDA
from services.gazetteer import read_gazetteer
from tests.support.doors import (
    ADMIN,
    ALINE,
    BEDE,
    CHANTAL,
    DEO,
    ESTHER,
    FABIEN,
    GLORIA,
    HILAIRE,
    ODILE,
    SECOND_OFFICER,
    Caller,
    Doors,
)

DEPLOY = Path(__file__).parents[2] / "deploy"
GAZETTEER, RULES = DEPLOY / "gazetteer" / "burundi", DEPLOY / "rules" / "burundi.toml"

ACT_OF: Mapping[str, Route] = {route.operation: route for route in ROUTES}


@dataclass(frozen=True)
class Deed:
    """One command that was accepted, and how it was sent."""

    caller: Caller
    route: Route
    path: str
    body: Mapping[str, Any]
    key: str
    answer: httpx.Response


@dataclass
class Telling:
    """Does one thing after the other and keeps what was answered."""

    doors: Doors
    deeds: list[Deed] = field(default_factory=list)

    async def do(self, caller: Caller, operation: str, about: str = "", /, **changes: Any) -> dict[str, Any]:
        """Send a command's example with these fields changed, None leaving one out; it must be accepted."""
        route, key = ACT_OF[operation], str(uuid4())
        path = route.address.replace(f"{{{route.noun}_id}}", about)
        body = {name: value for name, value in {**EXAMPLES[operation], **changes}.items() if value is not None}
        answer = await self.doors.post(caller, path, body, key=key)
        assert answer.status_code in ((202,) if route.held else (200, 201)), f"{operation}: {answer.text}"
        self.deeds.append(Deed(caller, route, path, body, key, answer))
        told: dict[str, Any] = answer.json()
        return told

    def person(self, caller: Caller) -> str:
        return str(self.doors.people[caller.name])

    def voted(self) -> dict[str, Any]:
        return {"in_favour": [self.person(BEDE), self.person(CHANTAL)]}


async def begin(telling: Telling) -> None:
    """The network begins by what an admin adopts."""
    rules = RULES.read_text("utf-8")
    await telling.do(ADMIN, "reference.adopt-rules", content=rules, content_hash=sha256(rules.encode()).hexdigest())
    gazetteer = read_gazetteer(GAZETTEER).with_division_in_force("2015")
    await telling.do(
        ADMIN, "reference.adopt-gazetteer", content=gazetteer.content(), content_hash=gazetteer.content_hash
    )
    for projection, engines in KNOWN_ENGINES.items():
        await telling.do(ADMIN, "reference.adopt-engine", projection=projection, number=max(engines))


async def tell(telling: Telling) -> None:
    """Let everything else happen."""
    await the_registers(telling)
    await the_reporter(telling)
    report_id, other_id = await the_reports(telling)
    case_id = await the_case(telling, report_id, other_id)
    await the_referrals(telling, case_id)
    await the_end(telling, case_id, other_id)
    await the_alerts(telling)


async def the_registers(telling: Telling) -> None:
    await telling.do(ADMIN, "reference.register-recipient")
    await telling.do(
        SECOND_OFFICER,
        "reference.register-recipient",
        recipient=HEALTH,
        recipient_class="health_facility",
        label="Health centre of Gihanga",
        purposes=["medical"],
        conflicts_with=[],
    )
    await telling.do(ADMIN, "reference.date-election")
    await telling.do(ADMIN, "reference.waive-event")


async def the_alerts(telling: Telling) -> None:
    until = clock.now() + timedelta(hours=1)
    await telling.do(BEDE, "alert.override", unit=MPANDA, until=until.isoformat())
    await telling.do(FABIEN, "alert.acknowledge", unit=MPANDA, alert_id=await last_alert(telling, MPANDA))
    await telling.do(ODILE, "alert.end-override", unit=MPANDA)
    silenced = await telling.do(BEDE, "alert.silence", unit=MPANDA, until=until.isoformat())
    await telling.do(ODILE, "alert.end-silence", unit=MPANDA, silence_id=silenced["silence_id"])


async def last_alert(telling: Telling, unit: str) -> str:
    """The id of the last alert of a unit, once there is one."""
    return str((await telling.doors.until_alerts(unit))[-1]["id"])


async def the_reporter(telling: Telling) -> None:
    aline = {"person_id": telling.person(ALINE)}
    yesterday = str(clock.now().date() - timedelta(days=1))
    await telling.do(FABIEN, "reporter.enrol", who=aline, person_name="Umumenyeshamakuru")
    await telling.do(FABIEN, "reporter.assign-coverage", who=aline)
    await telling.do(ALINE, "reporter.check-in", on=yesterday)
    await telling.do(FABIEN, "reporter.stand-down-reporter", who=aline)


async def the_reports(telling: Telling) -> tuple[str, str]:
    report_id = (await telling.do(ALINE, "report.receive"))["report_id"]
    await telling.do(BEDE, "report.grade", report_id)
    await telling.do(CHANTAL, "report.grade", report_id)
    await telling.do(DEO, "report.grade", report_id, credibility="4")
    await telling.do(ESTHER, "report.recuse", report_id)
    await telling.do(BEDE, "report.conclude", report_id)
    await telling.do(FABIEN, "report.correct", report_id, on_behalf_of=telling.person(ALINE))
    lost_id = (await telling.do(GLORIA, "report.receive", unit=None, place_precision=None))["report_id"]
    other_id = (await telling.do(FABIEN, "report.supersede", lost_id))["report_id"]
    source = {"phone": "+257 79 000 099"}
    wrong_id = (await telling.do(FABIEN, "report.receive", source=source, recorded_by="coordinator"))["report_id"]
    await telling.do(FABIEN, "report.withdraw", wrong_id)
    return str(report_id), str(other_id)


async def the_case(telling: Telling, report_id: str, other_id: str) -> str:
    linked = [{"report_id": report_id, "independent": "unknown"}]
    case_id = str((await telling.do(ODILE, "case.open-case", reports=linked))["case_id"])
    await telling.do(ODILE, "case.classify", case_id)
    await telling.do(ODILE, "case.link-report", case_id, report_id=other_id)
    await telling.do(ODILE, "case.unlink-report", case_id, report_id=other_id)
    at_once: dict[str, Any] = {"reports": None, "threat_to_life": True, "provisional": True}
    far_id = (await telling.do(FABIEN, "case.open-case", unit=GISURU, **at_once))["case_id"]
    lesser = {**at_once, "severity": "moderate"}  # a grave case is not merged into a lesser one
    twin_id = (await telling.do(FABIEN, "case.open-case", **lesser))["case_id"]
    await telling.do(ODILE, "case.relate", case_id, case_id=far_id)
    await telling.do(ODILE, "case.unrelate", case_id, case_id=far_id)
    await telling.do(FABIEN, "case.merge", twin_id, into=case_id)
    await telling.do(FABIEN, "case.reverse-merge", twin_id, into=case_id)
    await telling.do(BEDE, "case.ratify", far_id, **telling.voted())
    await telling.do(BEDE, "case.not-ratify", twin_id, **telling.voted())
    (dissent,) = EXAMPLES["case.assess"]["dissent"]
    await telling.do(
        BEDE,
        "case.assess",
        case_id,
        evidence=[report_id],
        recused=[telling.person(ESTHER)],
        dissent=[dissent | {"by": telling.person(DEO)}],
        **telling.voted(),
    )
    await telling.do(BEDE, "case.record-harm", case_id)
    await telling.do(ODILE, "case.decide", case_id)
    return case_id


async def the_referrals(telling: Telling, case_id: str) -> None:
    soon = clock.now() + timedelta(hours=2)
    later = (soon + timedelta(days=2)).isoformat()
    due = {"acknowledge_by": soon.isoformat(), "act_by": later}

    unclear = await telling.do(SECOND_OFFICER, "case.check-harm", case_id, valid_until=later)
    released = await telling.do(CHANTAL, "case.release-check", case_id, check_id=unclear["check_id"])
    refused = await telling.do(FABIEN, "case.record-consent", case_id)
    without = await telling.do(CHANTAL, "case.act-without-consent", case_id, consent_id=refused["consent_id"])
    first = await telling.do(
        ODILE, "case.refer", case_id, check_id=released["check_id"], consent_id=without["consent_id"], **due
    )
    it = {"referral_id": first["referral_id"]}
    await telling.do(ODILE, "case.fail-delivery", case_id, **it)
    await telling.do(ODILE, "case.move-deadline", case_id, **it, **due)
    await telling.do(HILAIRE, "case.acknowledge", case_id, **it)
    await telling.do(FABIEN, "case.accept", case_id, **it)
    await telling.do(HILAIRE, "case.complete", case_id, **it)
    await telling.do(BEDE, "case.check-outcome", case_id, **it)
    await telling.do(HILAIRE, "case.decline", case_id, **it)

    medical = {"recipient": HEALTH, "purpose": "medical"}
    clear = await telling.do(SECOND_OFFICER, "case.check-harm", case_id, verdict="clear", valid_until=later, **medical)
    given = await telling.do(
        FABIEN,
        "case.record-consent",
        case_id,
        basis="given",
        purposes=["medical"],
        recipients=[HEALTH],
        who={"phone": "+257 79 000 098"},
        person="Uwakomeretse",
    )
    second = await telling.do(
        ODILE, "case.refer", case_id, check_id=clear["check_id"], consent_id=given["consent_id"], **medical, **due
    )
    await telling.do(ODILE, "case.record-action", case_id, referral_id=second["referral_id"])
    await telling.do(ODILE, "case.revoke", case_id, referral_id=second["referral_id"])
    await telling.do(FABIEN, "case.withdraw-consent", case_id, consent_id=given["consent_id"])


async def the_end(telling: Telling, case_id: str, new_evidence: str) -> None:
    await telling.do(ODILE, "case.resolve", case_id)
    await telling.do(ODILE, "case.close", case_id)
    again = [{"report_id": new_evidence, "independent": "yes"}]
    await telling.do(ODILE, "case.reopen", case_id, reports=again)
