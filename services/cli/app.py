"""The commands by name; a new group of commands is a module with a `typer.Typer` and one line here."""

from __future__ import annotations

import sys

import typer

from services.cli import stack
from services.local.problems import LocalProblem
from services.settings import SettingsRefused

app = typer.Typer(
    help="An event-sourced early-warning backend for community peace networks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(stack.up)
app.command()(stack.status)
app.command()(stack.logs)
app.command()(stack.down)
app.command("settings")(stack.show_settings)

SENTENCES: tuple[type[Exception], ...] = (LocalProblem, SettingsRefused)
"""Errors whose message is the whole answer; anything else is a fault of ours and shows its traceback."""


def run() -> None:
    """Run the command line of this process and exit."""
    try:
        app()
    except SENTENCES as problem:
        typer.echo(str(problem), err=True)
        sys.exit(1)
