"""`intabaza rules check | test | adopt`: a rule set is read, tried on histories, and put in force."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from services.cli.acting import Person, person_id_of, with_desk
from services.cli.named_files import text_of
from services.local_problem import LocalProblem
from services.settings import read_settings

app = typer.Typer(help="Rule sets: how cases add up to a level.", no_args_is_help=True)

RuleFile = Annotated[Path, typer.Argument(help="A rule set, such as deploy/rules/burundi.toml.")]
CasesFile = Annotated[Path, typer.Argument(help="Histories and their levels, such as deploy/rules/burundi.cases.toml.")]


class RuleSetRefused(LocalProblem):
    """A rule set has faults."""

    status = 7


@app.command()
def check(file: RuleFile) -> None:
    """Read a rule set, and say which lines are wrong, what was expected and what to do."""
    from projections.rule_set import hash_of

    text = checked(file)
    typer.echo(f"{file} is a rule set. Levels would name it by its hash, {hash_of(text)}.")


@app.command("test")
def try_histories(file: RuleFile, cases: CasesFile) -> None:
    """Fold histories under a rule set in memory; the exit status is 1 where a level is not the expected one."""
    typer.echo(_tried(file, checked(file), cases))


@app.command()
def adopt(
    file: RuleFile,
    cases: Annotated[
        Path | None, typer.Option(help="Histories that must come out as expected first, else nothing is adopted.")
    ] = None,
    admin: Person = "admin",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a rule set in force: every level is computed anew, with the cause `rules`, and names it from then on."""
    from events.command import read_command
    from events.reference import AdoptRules
    from events.vocabulary import Role
    from projections.rule_set import hash_of, read_rule_set
    from services.acts.reference import act_at
    from services.desk.order import Order

    text = checked(file)
    if cases is not None:
        typer.echo(_tried(file, text, cases))
    name, digest = read_rule_set(text).name, hash_of(text)
    if not yes:
        typer.confirm(
            f"{name} ({digest[:12]}…) is in force for everybody as soon as it is adopted. Adopt it?", abort=True
        )
    fields: dict[str, object] = {"rule_set": name, "content": text, "content_hash": digest}
    order = Order(
        person_id_of(admin), Role.ADMIN, f"adopt rules {uuid4()}", read_command(AdoptRules, fields), "reference"
    )
    accepted = with_desk(read_settings(), lambda desk: act_at(desk, order))
    typer.echo(f"{name} is in force from position {accepted.placed[-1].position} on.")


def checked(file: Path) -> str:
    """The text of a rule set that can be used; raises RuleSetRefused with its faults, a line for each."""
    from projections.rule_set import RuleSetFaulty, read_rule_set

    text = text_of(file)
    try:
        read_rule_set(text)
    except RuleSetFaulty as fault:
        raise RuleSetRefused(f"{file}: {fault}") from None
    return text


def _tried(file: Path, text: str, cases: Path) -> str:
    from services.rules.histories import HistoriesFaulty, read_histories
    from services.rules.trial import try_out

    try:
        histories = read_histories(text_of(cases))
    except HistoriesFaulty as fault:
        raise LocalProblem(f"{cases}: {fault}") from None
    outcomes = [try_out(text, history) for history in histories]
    missed = [one for one in outcomes if one.missed]
    for outcome in missed:
        typer.echo(outcome.history.name)
        for miss in outcome.missed:
            typer.echo("\n".join(f"  {line}" for line in str(miss).splitlines()))
    if missed:
        raise LocalProblem(f"{len(missed)} of {len(outcomes)} histories come out otherwise under {file}.")
    expected = sum(one.expected for one in outcomes)
    return f"{len(outcomes)} histories come out as expected under {file}: {expected} levels compared."
