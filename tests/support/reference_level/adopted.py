"""What is in force: rules and gazetteers as the log adopted them last, and the days and midnights that they make."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from events.places.gazetteer import Gazetteer
from events.vocabulary import wire_time
from projections.rule_set import RuleSet, read_rule_set
from projections.taken import Taken

QUARTER = timedelta(minutes=15)
rules_of = cache(read_rule_set)
_GAZETTEERS: dict[str, Gazetteer] = {}


def gazetteer_of(event: Taken) -> Gazetteer:
    """Read once for each content."""
    found = _GAZETTEERS.get(event.data["content_hash"])
    if found is None:
        found = _GAZETTEERS[event.data["content_hash"]] = Gazetteer.from_content(event.data["content"])
    return found


def in_force(log: Sequence[Taken]) -> str | None:
    """The text of the rule set in force."""
    adopted = [event for event in log if event.type == "reference.rules_adopted"]
    return adopted[-1].data["content"] if adopted else None


def window(log: Sequence[Taken], rules: RuleSet, day: date) -> int:
    """The window of a day (6): the largest of the elections that it lies in, as they were dated last."""
    elections = {event.data["election"]: event.data for event in log if event.type == "reference.election_dated"}
    found = [1000]
    for election in elections.values():
        rule = rules.windows.get(election["round"])
        if rule is None or election["standing"] == "cancelled":
            continue
        on = date.fromisoformat(election["on"])
        begins = on - timedelta(days=rule.days_before)
        if "campaign_from" in election:
            begins = min(date.fromisoformat(election["campaign_from"]), on)
        if begins <= day <= on + timedelta(days=rule.days_after):
            found.append(rule.permille)
    return max(found)


def local_day(moment: str, rules: RuleSet) -> date:
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(rules.time_zone)).date()


@cache
def midnight(day: date, time_zone: str) -> str:
    """The moment at which a local day begins: the first quarter of an hour that lies in it."""
    zone = ZoneInfo(time_zone)
    moment = datetime.combine(day - timedelta(days=1), time(), UTC)
    while moment.astimezone(zone).date() < day:
        moment += QUARTER
    return wire_time(moment)


def midnights(log: Sequence[Taken], until: str) -> Iterator[tuple[str, date]]:
    """Every midnight after the last event and at or before another moment, with the day that begins."""
    text = in_force(log)
    if text is None:  # nothing is computed before any rules are adopted
        return
    rules = rules_of(text)
    day = local_day(log[-1].time, rules) + timedelta(days=1)
    while (moment := midnight(day, rules.time_zone)) <= until:
        yield moment, day
        day += timedelta(days=1)


def last_possible(dated: Mapping[str, Any]) -> date | None:
    """The latest possible day of what is dated (3)."""
    days = [date.fromisoformat(dated[end]) for end in ("from", "to") if end in dated]
    if not days:
        return None
    day = max(days)
    if dated.get("precision") == "week":
        return day + timedelta(days=6 - day.weekday())
    if dated.get("precision") == "month":
        return day.replace(day=monthrange(day.year, day.month)[1])
    return day
