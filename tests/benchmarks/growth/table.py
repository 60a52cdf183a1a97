"""The figures side by side, and a sentence for each that does not stay flat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from tests.benchmarks.growth.growing import Column

WITHIN = 0.25
RATE = "/s"
"""Of these more is better."""


def show(columns: Sequence[Column]) -> None:
    """Print all of it."""
    heads = [_head(one) for one in columns]
    table = Table("what", *heads, "last ÷ before", title="growth")
    for name in columns[-1].figures:
        values = [one.figures.get(name) for one in columns]
        table.add_row(name, *("" if value is None else _spelt(value) for value in values), _ratio(columns, name))
    Console(width=160).print(table)
    for sentence in sentences(columns):
        print(sentence)


def sentences(columns: Sequence[Column]) -> Iterator[str]:
    """One for each figure of the last step that is a quarter worse than at the step before."""
    if len(columns) < 2:
        return
    before, after = columns[-2], columns[-1]
    for name, value in after.figures.items():
        earlier = before.figures.get(name)
        if not earlier or not value:
            continue
        times = earlier / value if name.endswith(RATE) else value / earlier
        if times > 1 + WITHIN:
            yield (
                f"Not flat: {name}: {_spelt(earlier)} at {before.events:,} events and {_spelt(value)} at "
                f"{after.events:,}, {times:.2f} times as bad."
            )


def _head(column: Column) -> str:
    short = "" if column.events >= column.wanted else f" of {column.wanted:,}"
    return f"{column.events:,}{short} (load {column.load:.0f})"


def _ratio(columns: Sequence[Column], name: str) -> str:
    if len(columns) < 2:
        return ""
    before, after = columns[-2].figures.get(name), columns[-1].figures[name]
    return f"{after / before:.2f}" if before else ""


def _spelt(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
