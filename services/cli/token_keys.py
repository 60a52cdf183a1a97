"""`intabaza token-keys list | add | retire`: the keys that sign tokens on the local stack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.api import rotation
from services.api.tokens import TokenIssuer, TokenKeysRefused
from services.local_problem import LocalProblem
from services.settings import read_settings

app = typer.Typer(help="The keys that sign tokens.", no_args_is_help=True)


@app.command("list")
def show() -> None:
    """Show the keys by their `kid`, the oldest first; the last one signs."""
    file = read_settings().token_keys
    try:
        for one in rotation.keys_in_use(file):
            typer.echo(f"{one.kid}  {'signs' if one.signs else 'is believed'}")
    except TokenKeysRefused as refused:
        raise LocalProblem(str(refused)) from None


@app.command()
def add() -> None:
    """Make a new key, which signs from now on; what the others signed is believed until it ends."""
    file = _ours()
    TokenIssuer.find_or_make(file)
    try:
        kid = rotation.add(file)
    except TokenKeysRefused as refused:
        raise LocalProblem(str(refused)) from None
    typer.echo(f"{kid} signs now. Retire the older ones when their last token has ended, in 12 hours at most.")


@app.command()
def retire(kid: Annotated[str, typer.Argument(help="Which key, as `intabaza token-keys list` shows it.")]) -> None:
    """Take a key away: whatever it signed is refused at once, and its streams end."""
    try:
        rotation.retire(_ours(), kid)
    except TokenKeysRefused as refused:
        raise LocalProblem(str(refused)) from None
    typer.echo(f"{kid} is retired: no API believes what it signed any more.")


def _ours() -> Path:
    settings = read_settings()
    if settings.token_keys_file is not None:
        raise LocalProblem("INTABAZA_TOKEN_KEYS_FILE is set: who holds those keys changes that file.")
    return settings.token_keys
