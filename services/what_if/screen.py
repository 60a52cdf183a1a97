"""A comparison on a terminal: the numbers of each question, and the severe cases that differ most."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from projections.alert_level.naming import LEVELS
from services.what_if.reading import WhatIf
from services.what_if.wording import (
    Row,
    asked,
    lead_rows,
    lead_sentences,
    left_out_sentences,
    level_rows,
    most_telling,
    on,
    said_lead,
    signed,
    told_rows,
    verdict_rows,
)

MOST_CASES = 12


def screen(told: WhatIf) -> RenderableType:
    """All of it, short."""
    compared = told.compared
    level = LEVELS[compared.warned_from]
    parts: list[RenderableType] = [
        Text(asked(told), "bold"),
        Text(f"An alert here is a day or days in a row on which a unit stands at {level} or worse."),
        Text(),
        _table("Days of units at each level", level_rows(compared)),
        Text(f"On {compared.differing_days:,} days of units the two do not say the same."),
        Text(),
        _table("Severe cases", lead_rows(compared)),
        *(Text(sentence) for sentence in lead_sentences(compared)),
        Text(),
    ]
    if telling := most_telling(compared, MOST_CASES):
        cases = Table(title="Severe cases with the greatest difference", title_justify="left", box=None)
        for column in ("on", "where", "severity", "as adopted", "other rules", "gained"):
            cases.add_column(column, no_wrap=True)
        for one in telling:
            gained = "" if one.gained is None else signed(one.gained)
            name = compared.name(one.unit)
            cases.add_row(on(one.day), name, one.severity, said_lead(one.adopted), said_lead(one.other), gained)
        parts += [cases, Text()]
    parts += [
        _table("What became of alerts", verdict_rows(compared)),
        Text(),
        _table("Alerts sent to strangers", told_rows(compared)),
        *(Text(sentence, "yellow") for sentence in left_out_sentences(told)),
    ]
    return Group(*parts)


def _table(title: str, rows: Iterable[Row]) -> Table:
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("", no_wrap=True)
    for column in ("as adopted", "other rules", "difference"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table
