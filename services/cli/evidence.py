"""`intabaza evidence CASE FILE | approve CASE`: a case is taken away as one zip that verifies offline."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from typer.core import TyperGroup

from events.custody import ViewPurpose
from events.refusals import Refusal
from events.vocabulary import Role
from services import clock
from services.api.access import ACCESS, Reach, reach
from services.cli.acting import person_id_of
from services.cli.audit import own_keys_of
from services.local.addresses import find_addresses
from services.local_problem import LocalProblem
from services.settings import Settings, read_settings
from services.vault.refused import VaultError

if TYPE_CHECKING:
    from services.evidence.taking import Taken, Wanted

TAKE, APPROVE = "custody.take-evidence", "custody.approve-evidence"


class CaseFirst(TyperGroup):
    """A group in which whatever is no name of a command is the case that is taken away."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = not args or args[0] in self.commands or args[0] in ctx.help_option_names
        return super().parse_args(ctx, args if named else ["take", *args])


app = typer.Typer(cls=CaseFirst, help="A case taken away: `evidence CASE FILE`.", no_args_is_help=True)

Case = Annotated[str, typer.Argument(help="The case's id.")]
Purpose = Annotated[ViewPurpose, typer.Option(help="audit, export or disclosure.")]


@app.command()
def take(
    case: Case,
    file: Annotated[Path, typer.Argument(help="The zip to write.")],
    person: Annotated[str, typer.Option(help="Who takes it away: a person's id, or a name of this machine.")],
    role: Annotated[Role, typer.Option(help="In which role: auditor or custodian.")] = Role.AUDITOR,
    purpose: Purpose = ViewPurpose.AUDIT,
    as_of: Annotated[str | None, typer.Option(help="A position or an instant; now where left out.")] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key", help="A key of the log, or a file of keys, the oldest first; this stack's own where none."
        ),
    ] = None,
    most: Annotated[int | None, typer.Option(min=1, help="How many events may be in it; 20,000 if not told.")] = None,
    in_clear: Annotated[
        bool, typer.Option("--in-clear", help="With the texts in clear: as custodian, and with two approvals.")
    ] = False,
    approval: Annotated[list[str] | None, typer.Option(help="An approval as `evidence approve` printed it.")] = None,
) -> None:
    """Write the evidence of a case: its events, a proof for each, who looked at it, and the file that verifies it.

    Nothing sealed is opened unless two others approved it; never who somebody is. The log records who took it away, and
    each text that was opened. A moment that is none ends it with status 2, one before the log with 3, one beyond it
    with 4.
    """
    from services.evidence.gathering import MOST_EVENTS
    from services.evidence.taking import Wanted
    from services.moments import read_moment
    from services.tlog.offline.verify import Verdict, keys_said

    if approval and not in_clear:
        raise LocalProblem("--approval is given and --in-clear is not: add it, or leave the approvals out.")
    if file.is_file():  # the log names the pack in it, and what it was approved by is used up
        raise LocalProblem(f"{file} is there already: name a file that is not, or put that one away.")
    _refuse_role(TAKE, role)
    settings, named = read_settings(), None if as_of is None else read_moment(as_of)
    given = (approval or []) if in_clear else None
    wanted = Wanted(_case_id(case), person_id_of(person), role, purpose, named, most or MOST_EVENTS, given)
    try:
        keys = [one.text for one in keys_said(key or own_keys_of(settings, find_addresses(settings).app_dsn))]
    except Verdict as verdict:
        raise LocalProblem(str(verdict)) from None
    taken = asyncio.run(_take(settings, wanted, file, keys))
    covered = f"{taken.signed} of them signed" if taken.signed else "none of them signed yet, so that nothing is proven"
    shown = f", with {taken.texts} texts in clear" if in_clear else ""
    typer.echo(
        f"{file} holds {taken.events} events up to position {taken.up_to}, {covered}{shown}; the log says that you "
        "took it."
    )


@app.command()
def approve(
    case: Case,
    taker: Annotated[str, typer.Option(help="The custodian who takes it away: an id, or a name of this machine.")],
    approver: Annotated[str, typer.Option(help="Who agrees: an id, or a name of this machine.")],
    role: Annotated[Role, typer.Option(help="In which role they agree.")] = Role.AUDITOR,
    purpose: Purpose = ViewPurpose.AUDIT,
) -> None:
    """Print an approval that this case's texts leave in clear, good once and for a quarter of an hour."""
    _refuse_role(APPROVE, role)
    typer.echo(asyncio.run(_approve(_case_id(case), person_id_of(taker), person_id_of(approver), purpose)))


def _case_id(case: str) -> UUID:
    try:
        return UUID(case)
    except ValueError:
        raise LocalProblem(f"{case}: expected a case's id (a UUID); copy it.") from None


def _refuse_role(operation: str, role: Role) -> None:
    """Raises LocalProblem for a role that may not do this, or only in an area: a token says which, and nobody here."""
    match reach(operation, role):
        case Reach.EVERYWHERE:
            return
        case Reach.AREA:
            raise LocalProblem(f"The role {role.value} does that in its area, which its token says: by the API.")
    may = " or ".join(one.value for one, granted in ACCESS[operation].items() if granted is Reach.EVERYWHERE)
    raise LocalProblem(f"The role {role.value} does not do that: {may} does.")


async def _take(settings: Settings, wanted: Wanted, file: Path, keys: list[str]) -> Taken:
    from services.notary.halts import NoCheckpoint
    from services.notary.proving import TreeBehind
    from services.notary.tree import TreeDamaged
    from services.trace.reading import TooMuch
    from services.wiring import open_taking

    try:
        async with open_taking(settings) as (desk, taking, approvals):
            taken, _ = await replace(taking, keys=keys).take_away(wanted, lambda _: True, desk, approvals, file)
            return taken
    except TooMuch as much:
        raise LocalProblem(f"{much} Let more be in it with --most.") from None
    except (Refusal, VaultError, TreeBehind, TreeDamaged, NoCheckpoint) as refused:
        raise _told(refused) from None


async def _approve(case_id: UUID, taker: UUID, approver: UUID, purpose: ViewPurpose) -> str:
    from services.evidence.approving import approve
    from services.wiring import open_taking

    try:
        async with open_taking(read_settings()) as (desk, _, approvals):
            return await approve(
                desk.ledger, desk.persons, approvals, case_id, purpose, taker=taker, approver=approver, now=clock.now()
            )
    except (Refusal, VaultError) as refused:
        raise _told(refused) from None


def _told(refused: Exception) -> LocalProblem:
    return LocalProblem(f"{str(refused)[:1].upper()}{str(refused)[1:]}.")
