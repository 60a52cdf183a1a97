"""Every act's route. A command of the domain that is not here, or here twice, fails a test."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from events import alert, reference, reporter
from events.case import judging, linking, opening, protection, referral
from events.command import Command, Text
from events.commands import COMMANDS
from events.refusals import BadInput
from events.report import decisions as report
from events.vocabulary import Role, UnitId
from services.acts import alert as alert_acts
from services.acts import case as case_acts
from services.acts import reference as reference_acts
from services.acts import report as report_acts
from services.acts import reporter as reporter_acts
from services.acts.network import Network
from services.acts.newcomer import Introduce, nobody_new
from services.acts.placing import placed_by_name
from services.api.access import Reach
from services.api.commanding import Beside, Perform, Route, Sent, Whose
from services.ledger.ledger import Accepted
from services.signs import Held

NOT_BY_HTTP = frozenset({reference.Tick})
"""The relay ticks, nobody else."""


# --- reports ----------------------------------------------------------------------------------------------------------


class BesideReport(Beside):
    """`speaks_of` are people whom its texts are known to speak of: erasing one of them erases those texts."""

    speaks_of: Annotated[tuple[UUID, ...], Field(max_length=50)] = ()


class BesideMessage(BesideReport):
    """`source` is who told it: left out, a reporter's own, and else unknown.

    `place_name` is what the place is called, where its `unit` is not known: at a form it is refused where it means none
    or several, with the candidates; in a message it is kept, and the report is unplaced until somebody places it.
    """

    source: Whose | None = None
    place_name: Annotated[Text | None, Field(max_length=200)] = None


async def _stamped(
    network: Network, beside: BesideMessage, about: UUID | None, fields: dict[str, Any]
) -> dict[str, Any]:
    if "received_at" in fields:
        raise BadInput.field("received_at", "nothing: our door says when a message came in", "remove it")
    return fields | {"received_at": network.desk.now().isoformat()}


async def _receive(sent: Sent) -> Accepted:
    async def receive(source: UUID | None, introduce: Introduce) -> Accepted:
        told, about = sent.beside, frozenset(sent.beside.speaks_of)
        return await report_acts.receive(sent.network, sent.order, source, about, told.place_name, introduce)

    if sent.asking.bearer.role == Role.REPORTER:
        if sent.beside.source is not None:
            raise BadInput.field("source", "nothing from a reporter, who tells their own", "remove it")
        return await receive(sent.asking.bearer.person_id, nobody_new)
    return await (sent.beside.source or Whose()).named(sent.network, receive)


async def _report(sent: Sent) -> Accepted:
    assert sent.about is not None
    return await report_acts.act(sent.network, sent.order, sent.about)


async def _correct(sent: Sent) -> Accepted:
    assert sent.about is not None
    return await report_acts.act(sent.network, sent.order, sent.about, frozenset(sent.beside.speaks_of))


async def _supersede(sent: Sent) -> Accepted:
    assert sent.about is not None
    return await report_acts.supersede(sent.network, sent.order, sent.about)


# --- cases ------------------------------------------------------------------------------------------------------------


class BesideCase(Beside):
    """`place_name` is what the place is called, instead of its `unit`: one that means none or several places is refused
    with the candidates."""

    place_name: Annotated[Text | None, Field(max_length=200)] = None


async def _placed(network: Network, beside: BesideCase, about: UUID | None, fields: dict[str, Any]) -> dict[str, Any]:
    return placed_by_name(network.gazetteer, fields, beside.place_name)


class BesideConsent(Beside):
    """`who` is the person concerned, where the vault may know them: erasing them erases it here too."""

    who: Whose | None = None


async def _votes(network: Network, beside: Beside, about: UUID | None, fields: dict[str, Any]) -> dict[str, Any]:
    """Members are named by person and written by the pseudonym that each has in this case."""
    assert about is not None
    written = dict(fields)
    for name in ("in_favour", "recused"):
        if isinstance(members := fields.get(name), list):
            written[name] = [await _member(network, about, name, one) for one in members]
    if isinstance(dissent := fields.get("dissent"), list):
        written["dissent"] = [
            one | {"by": await _member(network, about, "dissent.by", one["by"])}
            if isinstance(one, dict) and "by" in one
            else one
            for one in dissent
        ]
    return written


async def _member(network: Network, about: UUID, field: str, person: object) -> str:
    """Who has no seat (any more) is refused in the decision, where a repeat is known as one."""
    try:
        member = UUID(str(person))
    except ValueError:
        raise BadInput.field(field, "members of the committee, by their person ids", "copy the ids") from None
    if not await network.desk.persons.known(member):
        raise BadInput.field(field, "members of the committee, by their person ids", "leave out who has no seat in it")
    return str(await network.desk.persons.pseudonym(member, about))


async def _open_case(sent: Sent) -> Accepted:
    return await case_acts.open_case(sent.network, sent.order)


async def _case(sent: Sent) -> Accepted:
    assert sent.about is not None
    return await case_acts.act(sent.network, sent.order, sent.about)


async def _merge(sent: Sent) -> Accepted:
    assert sent.about is not None
    return await case_acts.merge(sent.network, sent.order, sent.about)


async def _reverse_merge(sent: Sent) -> Accepted:
    assert sent.about is not None
    return await case_acts.reverse_merge(sent.network, sent.order, sent.about)


async def _record_consent(sent: Sent) -> Accepted:
    async def record(person: UUID | None, introduce: Introduce) -> Accepted:
        assert sent.about is not None
        return await case_acts.record_consent(sent.network, sent.order, sent.about, person, introduce)

    return await (sent.beside.who or Whose()).named(sent.network, record)


# --- reporters --------------------------------------------------------------------------------------------------------


class BesideReporter(Beside):
    """`who` is the reporter (left out: oneself), `unit` a unit of the home whose stream is meant."""

    who: Whose | None = None
    unit: UnitId


async def _reporter(sent: Sent) -> Accepted:
    network, unit = sent.network, sent.beside.unit
    home = _home_of(sent)

    async def act(person: UUID | None, introduce: Introduce) -> Accepted:
        return await reporter_acts.act(network, sent.order, _whose(sent, person), home, unit, introduce)

    return await (sent.beside.who or Whose()).named(network, act)


async def _check_in(sent: Sent) -> Held:
    network, unit = sent.network, sent.beside.unit
    home = _home_of(sent)

    async def check_in(person: UUID | None, introduce: Introduce) -> Held:
        return await reporter_acts.check_in(network, sent.order, _whose(sent, person), home, unit)

    if sent.asking.reach is Reach.OWN:
        if sent.beside.who is not None:
            raise BadInput.field("who", "nothing: a reporter checks in for themselves", "remove it")
        return await check_in(sent.asking.bearer.person_id, nobody_new)
    return await (sent.beside.who or Whose()).named(network, check_in)


def _home_of(sent: Sent) -> str:
    """The home whose stream is meant; raises NoSuchUnit."""
    sent.network.gazetteer.unit(sent.beside.unit)
    return sent.network.gazetteer.home_of(sent.beside.unit)


def _whose(sent: Sent, person: UUID | None) -> UUID:
    """The reporter who is meant; raises BadInput where nobody is, and OutsideArea before."""
    if person is None:
        sent.asking.area.refuse_outside(sent.network.gazetteer, sent.beside.unit)
        raise BadInput.field("who", "the reporter, by person_id or phone", "add one of them")
    return person


async def _reference(sent: Sent) -> Accepted:
    return await reference_acts.act_at(sent.office.desk, sent.order)


async def _alert(sent: Sent) -> Accepted:
    return await alert_acts.act(sent.network, sent.order)


# --- all of them ------------------------------------------------------------------------------------------------------

_APART: dict[type[Command], Route] = {
    one.command: one
    for one in (
        Route("report", report.Receive, _receive, BesideMessage, _stamped, ("report",), "/v1/reports"),
        Route("report", report.Correct, _correct, BesideReport),
        Route("report", report.Supersede, _supersede, makes=("report",)),
        Route("case", opening.OpenCase, _open_case, BesideCase, _placed, ("case",), "/v1/cases", frozenset({"unit"})),
        Route("case", opening.Ratify, _case, prepare=_votes),
        Route("case", opening.NotRatify, _case, prepare=_votes),
        Route("case", judging.Assess, _case, prepare=_votes),
        Route("case", linking.Merge, _merge),
        Route("case", linking.ReverseMerge, _reverse_merge),
        Route("case", protection.CheckHarm, _case, makes=("check",)),
        Route("case", protection.ReleaseCheck, _case, makes=("check",)),
        Route("case", protection.RecordConsent, _record_consent, BesideConsent, makes=("consent",)),
        Route("case", protection.ActWithoutConsent, _case, makes=("consent",)),
        Route("case", referral.Refer, _case, makes=("referral",)),
        Route("alert", alert.Silence, _alert, makes=("silence",)),
        Route("reporter", reporter.CheckIn, _check_in, BesideReporter, held=True),
    )
}
"""Acts that need more than their fields, or make something."""

_PLAIN: dict[str, tuple[Perform, type[Beside]]] = {
    "report": (_report, Beside),
    "case": (_case, Beside),
    "reporter": (_reporter, BesideReporter),
    "alert": (_alert, Beside),
    "reference": (_reference, Beside),
}

ROUTES: tuple[Route, ...] = tuple(
    _APART.get(command) or Route(noun, command, *_PLAIN[noun])
    for noun, commands in COMMANDS.items()
    for command in commands
    if command not in NOT_BY_HTTP
)
