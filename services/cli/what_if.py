"""`intabaza what-if RULES`: another rule set over the same history, beside the rules that were really adopted."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from services.cli.drawing import Drawn
from services.cli.rules import RuleFile, checked
from services.local.addresses import find_addresses
from services.local.folder import write_whole
from services.local.problems import FolderUnusable
from services.local.topics import EVENTS
from services.local_problem import LocalProblem
from services.moments import read_moment
from services.settings import read_settings

WIDE = 110
"""Columns of tables that go into a file or a pipe."""


class FileRefused(LocalProblem):
    """A report cannot be written where it was asked for."""

    status = 6


def what_if(
    rules: RuleFile,
    as_of: Annotated[
        str | None,
        typer.Option(help="Only up to this position, or up to what was recorded by this instant (with its offset)."),
    ] = None,
    warned_from: Annotated[
        int, typer.Option(min=1, max=4, help="From which level a unit counts as warned, on both sides.")
    ] = 3,
    html: Annotated[Path | None, typer.Option(help="Write a page with plots, for a committee, to this file.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write everything, day by day, to this file.")] = None,
    processes: Annotated[
        int, typer.Option(min=0, help="How many processes fold, each its own partitions; 0 takes one for each core.")
    ] = 0,
) -> None:
    """Say what another rule set would have said of the same history: levels, lead time, false alarms. Changes nothing.

    Exit statuses: 1 a file or a log that cannot be read, 2 no moment, 3 before the log, 4 beyond it, 5 nothing to
    compare with, 6 a file that cannot be written, 7 a rule set with faults.
    """
    text = checked(rules)
    named = None if as_of is None else read_moment(as_of)
    for file in (html, json):
        _refuse(file)
    from rich.console import Console

    from services.what_if.reading import what_if as compare_them  # it brings kafka-python
    from services.what_if.screen import screen

    bootstrap = find_addresses(read_settings()).bootstrap
    with Drawn() as drawn:
        told = asyncio.run(
            compare_them(
                bootstrap,
                EVENTS,
                text,
                named,
                warned_from,
                processes or os.cpu_count() or 1,
                lambda done, of: drawn.advance("folding the history under both rule sets", done, of),
            )
        )
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDE)
    console.print(screen(told))
    if html is not None:
        from services.what_if.report import report

        _write(html, report(told))
    if json is not None:
        import orjson

        from services.what_if.document import document

        _write(json, orjson.dumps(document(told), option=orjson.OPT_INDENT_2).decode())


def _refuse(file: Path | None) -> None:
    """Before anything is folded for it."""
    if file is not None and not file.absolute().parent.is_dir():
        raise FileRefused(f"{file} cannot be written: there is no folder {file.parent}; make it, or choose another.")
    if file is not None and file.is_dir():
        raise FileRefused(f"{file} cannot be written: it is a folder; name a file.")


def _write(file: Path, text: str) -> None:
    """The file is there when all of it is, and not before; a pipe, or a terminal, stays what it is."""
    try:
        write_whole(file, text.encode())
    except FolderUnusable as unusable:
        raise FileRefused(str(unusable)) from unusable
    typer.echo(f"{file} is written.", err=True)
