"""The commands by name; a new group of commands is a module with a `typer.Typer` and one line here."""

from __future__ import annotations

import sys

import typer

from services.cli import (
    alerts,
    audit,
    backup,
    clock,
    demo,
    evidence,
    explain,
    gaps,
    gazetteer,
    ledger,
    log_keys,
    moments,
    network,
    parked,
    person,
    projections,
    relay,
    rules,
    stack,
    subscriber,
    token_keys,
    trace,
    what_if,
    witness,
)
from services.ledger.ledger import LedgerError
from services.local_problem import LocalProblem
from services.processors.errors import Halt
from services.settings import SettingsRefused
from services.vault.refused import MasterKeyRefused

app = typer.Typer(
    help="An event-sourced early-warning backend for community peace networks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(stack.up)
app.command()(stack.status)
app.command()(stack.address)
app.command()(stack.restart)
app.command()(stack.logs)
app.command()(stack.down)
app.command()(backup.backup)
app.command()(backup.restore)
app.command("settings")(stack.show_settings)
app.command()(network.begin)
app.command()(network.token)
app.command()(demo.demo)
app.command()(explain.explain)
app.command()(gaps.gaps)
app.command()(trace.trace)
app.command()(projections.replay)
app.command("what-if")(what_if.what_if)
app.command()(projections.rebuild)
app.command()(moments.forget_moments)
app.add_typer(alerts.app, name="alerts")
app.add_typer(audit.app, name="audit")
app.add_typer(clock.app, name="clock")
app.add_typer(network.app, name="committee")
app.add_typer(evidence.app, name="evidence")
app.add_typer(gazetteer.app, name="gazetteer")
app.add_typer(ledger.app, name="ledger")
app.add_typer(log_keys.app, name="log-keys")
app.add_typer(log_keys.notary, name="notary")
app.add_typer(parked.app, name="parked")
app.add_typer(person.app, name="person")
app.add_typer(relay.app, name="relay")
app.add_typer(rules.app, name="rules")
app.add_typer(subscriber.app, name="subscriber")
app.add_typer(token_keys.app, name="token-keys")
app.add_typer(witness.app, name="witness")

SENTENCES: tuple[type[Exception], ...] = (LocalProblem, SettingsRefused, LedgerError, MasterKeyRefused, Halt)
"""Errors whose message is the whole answer; anything else is a fault of ours and shows its traceback."""


def run() -> None:
    """Run the command line of this process and exit."""
    try:
        app()
    except SENTENCES as problem:
        typer.echo(str(problem), err=True)
        sys.exit(problem.status if isinstance(problem, LocalProblem) else 1)
