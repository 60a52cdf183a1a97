"""Scenarios for tests: those of deploy/scenarios, and small ones written into a folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from services.demo.cast import Cast
from services.demo.reading import read_scenario
from services.demo.scenario import Scenario
from services.demo.story import Plan, plan

SCENARIOS = Path(__file__).parents[3] / "deploy" / "scenarios"
CHRONOLOGY = SCENARIOS / "burundi_2015"
COLUMNS = (CHRONOLOGY / "entries.csv").read_text("utf-8").splitlines()[0]

A_DEATH = "a1,2015-05-02,,day,bi:c2015:muha,zone,violence,severe,1,2,3,rebel_groups,3,,,,https://one.example/a"
AN_ARREST = "a2,2015-05-03,,day,bi:c2015:gitega,commune,detention_or_rights,moderate,0,0,,state_forces,1,,,,https://one.example/b"
A_RELEASE = (
    "a3,2015-05-05,,day,bi:c2015:gitega,commune,response_update,minor,0,0,,state_forces,1,,a2,resolved,"
    "https://one.example/c"
)
A_MEETING = "a4,2015-05-06,,day,bi,country,peace_initiative,minor,0,0,,civilians,2,,,,https://one.example/d"
NOWHERE = "a5,2015-05-06,,day,unplaced,unknown,violence,severe,1,1,,unknown,1,unfound,,,https://one.example/e"
FEW = (A_DEATH, AN_ARREST, A_RELEASE, A_MEETING, NOWHERE)


@cache
def chronology() -> Scenario:
    return read_scenario(CHRONOLOGY)


@cache
def told() -> Plan:
    """The chronology's plan."""
    return plan(chronology(), Cast(chronology()))


def write_scenario(folder: Path, *lines: str, **changed: str) -> Path:
    """A scenario of a few days that extends the chronology's file, with these entries."""
    head = {"name": '"few_days"', "title": '"A few days"', "begins": "2015-05-01", "ends": "2015-05-09"} | changed
    held = (
        'election = "hills", round = "hill", told = 2015-05-04, standing = "held", on = 2015-05-04, source = "nobody"'
    )
    text = [f'extends = "{CHRONOLOGY}/scenario.toml"', 'entries = "entries.csv"', f"elections = [{{ {held} }}]"]
    (folder / "scenario.toml").write_text("\n".join([*text, *(f"{name} = {value}" for name, value in head.items())]))
    (folder / "entries.csv").write_text("\n".join([COLUMNS, *lines]) + "\n")
    return folder
