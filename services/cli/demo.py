"""`intabaza demo`: a scenario played through the API on a stack of its own, on the screen."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.local_problem import LocalProblem

SCENARIOS = Path(__file__).parents[2] / "deploy" / "scenarios"
PLAIN_WIDTH = 120
"""How wide tables are where there is no terminal."""


def demo(
    scenario: Annotated[
        str, typer.Argument(help="A scenario's folder or file, or the name of one in deploy/scenarios.")
    ] = "burundi_2015",
    once: Annotated[
        bool, typer.Option("--once", help="Check everything afterwards, end the stack, and exit 1 if anything differs.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Another seed for what is invented.", min=0)] = None,
    folder: Annotated[Path, typer.Option(help="The demonstration's own data folder; it is emptied first.")] = Path(
        ".intabaza-demo"
    ),
    record: Annotated[Path | None, typer.Option(help="Write the worst moment and the summary as an SVG.")] = None,
) -> None:
    """Play a scenario through the HTTP API on a stack of its own: every command is real, the people are invented."""
    from projections.rule_set import RuleSetFaulty, read_rule_set
    from services.demo.reading import read_scenario
    from services.demo.show import Demonstration  # it brings everything along, which no other command needs
    from services.demo.stack import DemoStack

    read = read_scenario(_found(scenario))
    try:
        zone = read_rule_set(read.rules).time_zone
    except RuleSetFaulty as faulty:
        raise LocalProblem(str(faulty)) from None
    if record is not None and not record.absolute().parent.is_dir():
        raise LocalProblem(f"{record} cannot be written: there is no folder {record.parent}.")
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH)
    stack = DemoStack.in_folder(folder.expanduser().absolute(), zone)
    faults = asyncio.run(Demonstration(read, stack, console, seed, record).run(once=once))
    if faults:
        raise LocalProblem(f"{len(faults)} things are not as they must be.")


def _found(scenario: str) -> Path:
    for path in (Path(scenario), SCENARIOS / scenario):
        if path.exists():
            return path
    known = ", ".join(sorted(one.name for one in SCENARIOS.iterdir() if one.is_dir()))
    raise LocalProblem(f"There is no scenario {scenario}: name a file or folder, or one of {known}.")
