"""What a play came to: days at each level, referrals and what is overdue, how long each stage took, where to look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from events.places.facts import UnitKind
from projections.alert_level.naming import LEVELS
from projections.rule_set import read_rule_set
from services.demo.scenario import Scenario
from services.demo.screen import STYLES, called
from services.demo.stack import PROGRAM, DemoStack
from services.demo.watch import STAGES, Change, Watch, quantiles

MOST_UNITS = 24
MOST_OVERDUE = 6


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the API tells when all is played."""

    histories: Mapping[str, Sequence[Change]]
    levels: Mapping[str, Mapping[str, Any]]
    counts: Sequence[Mapping[str, Any]]
    overdue: Sequence[Mapping[str, Any]]
    gaps: Sequence[Mapping[str, Any]]


async def read_outcome(watch: Watch) -> Outcome:
    """Ask for everything that the summary tells."""
    door, analyst = watch.playing.door, watch.cast.analyst
    histories = await watch.histories()
    counts = (await door.ask(analyst, "/v1/referrals/counts"))["counts"]
    overdue = await door.all_of(analyst, "/v1/referrals", "referrals", overdue="true")
    gaps = await door.all_of(analyst, "/v1/gaps", "gaps")
    return Outcome(histories, watch.levels, counts, overdue, gaps)


def summary(scenario: Scenario, watch: Watch, outcome: Outcome) -> RenderableType:
    """All tables."""
    zone = ZoneInfo(read_rule_set(scenario.rules).time_zone)
    plan = watch.playing.plan
    return Group(
        Text(),
        _days(scenario, outcome, plan.begins, plan.ends, zone),
        Text(),
        _referrals(scenario, outcome, zone),
        Text(),
        _stages(watch),
        Text(),
        Text(scenario.head.facts, "dim"),
        Text(scenario.head.invention, "dim"),
    )


def days_at_each_level(changes: Sequence[Change], begins: datetime, ends: datetime, zone: tzinfo) -> Counter[int]:
    """Local days by the highest level that was held on them."""
    days: Counter[int] = Counter()
    level, following = 0, 0
    day: date = begins.astimezone(zone).date()
    while day < ends.astimezone(zone).date():
        highest = level
        while following < len(changes) and changes[following].at.astimezone(zone).date() <= day:
            level = changes[following].after
            at_midnight = changes[following].at.astimezone(zone).time() == datetime.min.time()
            # What falls at midnight was never held on this day.
            highest = level if at_midnight else max(highest, level)
            following += 1
        days[highest] += 1
        day += timedelta(days=1)
    return days


def _days(scenario: Scenario, outcome: Outcome, begins: datetime, ends: datetime, zone: tzinfo) -> RenderableType:
    found = {unit: days_at_each_level(changes, begins, ends, zone) for unit, changes in outcome.histories.items()}
    ranked = sorted(found, key=lambda unit: [-found[unit][level] for level in range(4, 0, -1)])
    shown = [unit for unit in ranked if any(found[unit][level] for level in range(2, 5))]
    table = Table(
        title="Days at each level, by the highest of each day", title_justify="left", box=None, pad_edge=False
    )
    table.add_column("unit")
    for level in range(4, -1, -1):
        table.add_column(LEVELS[level], justify="right", header_style=STYLES[level])
    table.add_column("changes", justify="right")
    table.add_column("open cases", justify="right")
    for unit in shown[:MOST_UNITS]:
        days = [str(found[unit][level] or "") for level in range(4, -1, -1)]
        row = outcome.levels[unit]
        table.add_row(called(scenario, unit), *days, str(len(outcome.histories[unit])), str(row["open_cases"] or ""))
    rest = len(found) - len(shown[:MOST_UNITS])
    communes = scenario.gazetteer.in_force(kind=UnitKind.COMMUNE)
    unheard = sum(1 for commune in communes if commune.unit_id not in found)
    told = f"{rest} other units were heard of; of {unheard} communes nothing was, which does not mean calm."
    return Group(table, Text(told, "dim"))


def _referrals(scenario: Scenario, outcome: Outcome, zone: tzinfo) -> RenderableType:
    labels = {one.recipient: one.label for one in scenario.head.recipients}
    table = Table(title="Referrals", title_justify="left", box=None, pad_edge=False)
    for column in ("recipient", "made", "done", "confirmed", "declined", "revoked", "open", "overdue"):
        table.add_column(column, justify="left" if column == "recipient" else "right")
    for recipient in sorted({row["recipient"] for row in outcome.counts}):
        rows = [row for row in outcome.counts if row["recipient"] == recipient]

        def so_many(rows: Sequence[Mapping[str, Any]], *states: str) -> str:
            return str(sum(row["referrals"] for row in rows if row["state"] in states) or "")

        confirmed = sum(row["referrals"] for row in rows if row["outcome"] == "confirmed")
        table.add_row(
            labels.get(recipient, recipient),
            str(sum(row["referrals"] for row in rows)),
            so_many(rows, "completed"),
            str(confirmed or ""),
            so_many(rows, "declined"),
            so_many(rows, "revoked"),
            so_many(rows, "referred", "acknowledged", "accepted", "delivery_failed"),
            str(sum(row["overdue"] for row in rows) or ""),
        )
    lines = [
        Text(f"Overdue: {len(outcome.overdue)}. Those that waited longest:" if outcome.overdue else "Overdue: none.")
    ]
    for row in outcome.overdue[:MOST_OVERDUE]:
        since = datetime.fromisoformat(row["overdue_since"]).astimezone(zone)
        lines.append(
            Text(f"  {labels.get(row['recipient'], row['recipient'])}, {row['purpose']}, since {since:%d %b %Y}", "dim")
        )
    awaited = Counter(row["awaited"].replace("_", " ") for row in outcome.gaps)
    told = ", ".join(f"{name} {number}" for name, number in awaited.most_common())
    lines.append(Text(f"Answers that are still awaited, by what is missing: {told or 'none'}."))
    climbed = Counter(row["told"]["role"].replace("_", " ") for row in outcome.gaps if row["told"])
    if climbed:
        last = ", ".join(f"{role} {number}" for role, number in climbed.most_common())
        lines.append(Text(f"Grave cases that nobody answered, by whom they were brought before last: {last}."))
    return Group(table, *lines)


def _stages(watch: Watch) -> RenderableType:
    table = Table(title="How long it took, in milliseconds", title_justify="left", box=None, pad_edge=False)
    for column in ("until a command was", "measured", "median", "99 % within"):
        table.add_column(column, justify="left" if column.startswith("until") else "right")
    seconds = {STAGES[0]: watch.playing.door.seconds, **watch.lags}
    for stage in STAGES:
        told = [f"{one * 1000:,.0f}" for one in quantiles(seconds[stage])] or ["", ""]
        table.add_row(stage, f"{len(seconds[stage]):,}", *told)
    return table


def where_to_look(stack: DemoStack) -> RenderableType:
    """The addresses of the stack that is left up, and how to end it."""
    folder = stack.settings.folder
    asked = 'curl -H "Authorization: Bearer $TOKEN"'
    lines = [
        "",
        "The stack stays up. In a shell, once:",
        f'  export PATH="{PROGRAM.parent}:$PATH"',
        f"  export INTABAZA_DATA_FOLDER={folder} INTABAZA_PARTITIONS={stack.settings.partitions}",
        '  TOKEN="$(intabaza token --role analyst --person me)"',
        "Then the level of each unit, the referrals that were not answered in time, the alerts as strangers see them:",
        f'  {asked} "{stack.address}/v1/levels"',
        f'  {asked} "{stack.address}/v1/referrals?overdue=true"',
        f'  {asked} -N "{stack.address}/v1/alerts/stream?after=0"',
        "Every address of the API, whether it is ready, and what it counts:",
        f"  {stack.address}/openapi.json  {stack.address}/readyz  {stack.address}/metrics",
        "What runs; whether a projection is what Kafka makes of it; and the end of it all:",
        "  intabaza status",
        "  intabaza replay alert_level --diff",
        "  intabaza down",
    ]
    return Text("\n".join(lines))
