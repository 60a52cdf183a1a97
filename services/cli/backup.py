"""`intabaza backup | restore`: ledger, vault and keys into a folder, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services import clock
from services.cli.drawing import Drawn
from services.local.account import server_account
from services.local.addresses import find_addresses
from services.local.binaries import find_binaries
from services.settings import read_settings

Folder = Annotated[Path, typer.Argument(help="Of backups, for our account only.")]


def backup(folder: Folder) -> None:
    """Write ledger, vault and keys of a running stack into a new folder in FOLDER; keys in old ones there end.

    The master key is not in it: keep that apart. Whoever has both can read everything.
    """
    from services.backups.making import end_keys, horizon, make_backup
    from services.wiring import master_key

    settings, now = read_settings(), clock.now()
    binaries = find_binaries(server_account(), settings.postgres_binaries).folder
    master, dsn = master_key(settings), find_addresses(settings).owner_dsn
    with Drawn() as drawn:
        made = make_backup(folder, dsn, binaries, settings, master, now, drawn)
    typer.echo(f"{made.folder} holds the ledger up to position {made.head}, the vault and its keys.")
    for ended in end_keys(folder, master, horizon(settings, now)):
        typer.echo(f"The keys in {ended} were removed: they are older than {settings.key_backup_days} days.")


def restore(
    folder: Folder,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Leave every text that was sealed by then shut for ever.")
    ] = False,
    without_kafka: Annotated[
        bool, typer.Option("--without-kafka", help="Kafka is gone for good too: what it had since is lost.")
    ] = False,
) -> None:
    """Put a backup (the newest in FOLDER) back in a stack that is down, and complete it from its Kafka."""
    from services.backups.putting_back import put_back
    from services.wiring import master_key

    settings = read_settings()
    with Drawn() as drawn:
        done = put_back(
            folder, settings, master_key(settings), clock.now(), drawn, keys=not without_keys, kafka=not without_kafka
        )
    typer.echo(f"Put back {done.backup.folder}: the ledger up to position {done.backup.head}.")
    if done.completed is not None:
        typer.echo(
            f"From Kafka it was completed up to position {done.completed.head}; {done.completed.destroyed_again} "
            "keys and persons that had been destroyed since were destroyed again."
        )
        if done.completed.head > done.backup.head:
            typer.echo(
                f"What was sealed in positions {done.backup.head + 1} to {done.completed.head} under a key that was "
                "made for it opens no more: such keys were in the database that was lost, and in no backup."
            )
    if done.completed is None and done.stopped_at is None:
        typer.echo(
            "It was completed from no Kafka: nothing that was recorded since then is in it, readers who saw positions "
            f"above {done.backup.head} forget them, and whoever was erased since has to be erased again (`intabaza "
            "person erase`)."
        )
    if done.stopped_at is not None:
        typer.echo(str(done.stopped_at))
    typer.echo("`intabaza up` starts it; the relay lets appends in once Kafka and ledger agree.")
