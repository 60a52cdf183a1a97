"""Histories of Burundi around the reform of 2025: few cases, much worked on, under rules whose numbers are drawn.

Where tests/support/level_histories goes wide, these go deep: one unit has more cases than there are ranks, events fall
on the very moment of a midnight, windows overlap, and every number of the rules may be another one.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache, partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from events.case import events as cases
from events.places.gazetteer import Gazetteer
from events.report.events import ReportSuperseded, ReportWithdrawn
from events.vocabulary import ActionKind, CaseOutcome, Kind, Mode, Resolver, VerificationState, Withdrawal
from projections.taken import Taken
from tests.support.crisis import burundi
from tests.support.domain import one
from tests.support.levels import FIRST_RULES, Log
from tests.support.written import SEALED

KARUSI = "bi:c2015:bugenyuzi"
PLACES = {
    KARUSI: (
        "bi:c2015:bugenyuzi",  # split: 793 permille to Karusi, 207 to Shombo
        "bi:c2015:bugenyuzi",
        "bi:c2015:gihogazi",
        "bi:c2015:shombo",
        "bi:c2025:karusi",
        "bi:z2025:karusi.bugenyuzi",
        "bi:z2025:shombo.gatonde",
    ),
    "bi:p2015:karuzi": ("bi:p2015:karuzi",),
    "outside:rw": ("outside:rw",),
    "unplaced": ("unplaced",),
}
"""Homes, with places in them."""

ZONES = ("Africa/Bujumbura", "Europe/Paris", "America/Santiago", "Asia/Kathmandu")
"""Two without summer time, one of them a quarter of an hour beside the rest, and one whose days may begin at one."""

CHANGES: Mapping[str, Sequence[Any]] = {
    "time_zone": ZONES,
    "ranks": ([1000, 333], [999, 999, 999, 1]),
    "disproved": (["confirmed_false", "unverifiable"], []),
    "kinds.violence.points": (39999, 12347),
    "kinds.violence.fade": ([[1, 0]], [[2, 999], [50, 1], [51, 0]]),
    "kinds.violence.floored": (False,),
    "kinds.tension.points": (30001,),
    "kinds.tension.fade": ([[1, 777], [2, 333], [3, 0]], [[400, 0]]),
    "kinds.tension.in_window": (True,),
    "kinds.rumour_or_hate_speech.floored": (True,),
    "kinds.rumour_or_hate_speech.in_window": (True,),
    "kinds.weapons.softened": (True,),
    "severity.severe": (1001, 333),
    "severity.moderate": (0,),
    "credibility.2": (799,),
    "circulation.unknown": (0, 901),
    "unassessed.severity": ("extreme",),
    "unassessed.provisional": (611,),
    "unassessed.ratified": (0, 877),
    "floors": ({}, {"moderate": 1999, "severe": 5001}),
    "ended.closed": (1000, 0),
    "ended.resolved.settled": (0, 999),
    "peace.share": (1000, 0, 777),
    "peace.blocked_by": ([], ["moderate"]),
    "peace.kinds.peace_initiative.points": (40001,),
    "peace.kinds.commitment_update.kept_when": ([], ["prevented", "unknown"]),
    "windows.presidential.permille": (1337, 1000),
    "windows.hill.days_after": (0,),
    "windows.senate": ({"days_before": 1, "days_after": 1, "permille": 2001},),
    "levels.up": ([2500, 11000, 27000, 60000], [4000, 15000, 35000, 1000000]),
    "straight_to.severity": ("severe",),
    "straight_to.level": (2, 4),
    "alerts.from_level": (1, 4),
}
"""Keys of the rule set, each with what may stand there instead."""


@cache
def gazetteer(division: str) -> Gazetteer:
    """Burundi's, cut down to the home of Karusi and what lies above it: all of it takes too long to adopt so often."""
    whole = burundi()
    inside = {
        unit for unit in whole.units if whole.home_of(unit) == KARUSI or unit.startswith(("outside:", "unplaced"))
    }
    above = {area for one in whole.divisions for unit in inside for area in whole.ancestors(unit, one.division)}
    kept, facts = inside | above, whole.facts
    return Gazetteer(
        facts.model_copy(
            update={
                "units": tuple(row for row in facts.units if row.unit_id in kept),
                "parents": tuple(row for row in facts.parents if row.unit_id in kept),
                "aliases": tuple(row for row in facts.aliases if row.unit_id in kept),
                "successions": tuple(row for row in facts.successions if row.from_id in kept),
                "earlier": tuple(row for row in facts.earlier if row.unit_id in kept),
                "homes": (KARUSI,),
                "division_in_force": division,
            }
        )
    )


def drawn_rules(random: Random) -> str:
    """The first rule set, or one with about a quarter of these keys changed."""
    if random.random() < 0.3:
        return FIRST_RULES
    rules = tomllib.loads(FIRST_RULES)
    for key, others in CHANGES.items():
        if random.random() < 0.25:
            *tables, last = key.split(".")
            table = rules
            for name in tables:
                table = table[name]
            table[last] = random.choice(others)
    return written(rules)


def written(rules: Mapping[str, Any]) -> str:
    """The text of a rule set."""
    return "\n".join(f"{key} = {_toml(value)}" for key, value in rules.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def reform_history(seed: int, length: int, engines: tuple[int, ...] = (1,)) -> Sequence[Taken]:
    """The history of this seed, of so many steps; it ends with a tick."""
    told = _Reform(Random(seed), list(engines))
    told.begin()
    for _ in range(length):
        told.step()
    told.log.tick()
    return told.log.events


class _Reform:
    def __init__(self, random: Random, engines: list[int]) -> None:
        self.random, self.engines = random, engines
        self.log = Log()
        self.cases: list[tuple[str, str]] = []
        self.most = random.choice((2, 4, 8, 14))
        self.quick = random.random() < 0.4  # days go by so seldom that nothing fades

    def begin(self) -> None:
        if self.random.random() < 0.9:
            self.log.gazetteer(gazetteer("2015"))
        for act in (self.rules, self.engine):
            if self.random.random() < 0.85:
                act()

    def step(self) -> None:
        self.pass_time()
        acts: dict[Callable[[], object], int] = {
            self.open: 0 if len(self.cases) >= self.most else 40 if self.quick else 16,
            self.assess: 20,
            self.link: 9,
            self.report_ends: 7,
            self.end: 14,
            self.reopen: 8,
            self.forget: 5,
            self.take_apart: 5,
            self.stand_for_others: 9,
            self.lose_evidence: 4,
            self.classify: 3,
            self.ratify: 6,
            self.merge: 6,
            self.beside_the_point: 4,
            self.log.tick: 5,
            self.rules: 4,
            self.reform: 3,
            self.election: 7,
            self.engine: 3,
        }
        self.random.choices(list(acts), list(acts.values()))[0]()

    def pass_time(self) -> None:
        paces = (80, 6, 13, 1, 0) if self.quick else (30, 25, 30, 14, 1)
        match self.random.choices(range(5), paces)[0]:
            case 0:
                self.log.after(minutes=self.random.choice((0, 0, 7, 61)))
            case 1:
                self.to_midnight()
            case 2:
                self.log.after(hours=self.random.randrange(24 * 4))
            case 3:
                self.log.after(days=self.random.randrange(35))
            case _:
                self.log.after(days=self.random.randrange(400))

    def to_midnight(self) -> None:
        """To the moment of a midnight somewhere, or a microsecond beside it."""
        zone = ZoneInfo(self.random.choice(ZONES))
        tomorrow = self.log.now.astimezone(zone).date() + timedelta(days=1)
        midnight = datetime.combine(tomorrow, time(), zone) + timedelta(microseconds=self.random.choice((-1, 0, 0, 1)))
        if midnight > self.log.now:
            self.log.after(seconds=(midnight - self.log.now).total_seconds())

    # --- cases ------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        random = self.random
        home = random.choices(list(PLACES), (12, 2, 1, 1))[0]
        name = f"{home}/{len(self.cases)}"
        self.cases.append((name, home))
        self.log.opened(
            name,
            random.choice((*self.kinds, "peace_initiative", "commitment_update")),
            unit=random.choice(PLACES[home]),
            home=home,
            occurred=random.choice((None, 0, 1, -3, (random.randrange(30), random.randrange(-5, 30)))),
            expected=random.choice((None, None, 0, random.randrange(40))),
            precision=random.choices(("hour", "day", "week", "month", "unheard_of"), (1, 5, 2, 2, 1))[0],
            severity=random.choice((None, "minor", "moderate", "severe", "extreme", "unheard_of")),
            threat=random.random() < 0.3,
            provisional=random.random() < 0.4,
            reports=(self.report(home),) if random.random() < 0.6 else (),
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        return (*map(str, Kind), "violence", "tension", "rumour_or_hate_speech", "unheard_of")

    def report(self, home: str) -> str:
        return f"{home}/report/{self.random.randrange(4)}"

    def some(self) -> tuple[str, str]:
        """One of the cases, mostly a late one."""
        if not self.cases:
            return "never opened", KARUSI
        return self.cases[-1 - min(int(self.random.expovariate(0.4)), len(self.cases) - 1)]

    def assess(self) -> None:
        name, home = self.some()
        self.log.assessed(
            name,
            self.random.choices(("minor", "moderate", "severe", "extreme", "unheard_of"), (3, 5, 6, 3, 1))[0],
            self.random.choice(("1", "1", "1", "2", "2", "3", "4", "5", "6", "unheard_of")),
            circulating=self.random.choice(("not", "locally", "widely", "unknown", "unheard_of")),
            state=self.random.choice((*map(str, VerificationState), *["confirmed_true"] * 6, "unheard_of")),
            home=home,
        )

    def link(self) -> None:
        name, home = self.some()
        act = self.random.choice((self.log.linked, self.log.unlinked))
        act(name, self.report(home), home=home)

    def report_ends(self) -> None:
        """A report is withdrawn, or received again in another home."""
        home = self.some()[1]
        stream = f"report/{one(self.report(home))}"
        if self.random.random() < 0.5:
            self.log.write(stream, ReportWithdrawn(reason=Withdrawal.FALSE), home=home)
        else:
            self.log.write(stream, ReportSuperseded(received_again_as=one("another"), home="unplaced"), home=home)

    def end(self) -> None:
        name, home = self.some()
        if self.random.random() < 0.6:
            self.log.resolved(name, self.random.choice((*map(str, CaseOutcome), "settled", "unheard_of")), home=home)
        else:
            self.log.closed(name, home=home)

    def forget(self) -> None:
        """A case ends, is laid by when nothing is left of it, and something comes to it after all."""
        name, home = self.some()
        if self.random.random() < 0.7:
            self.random.choice((self.log.closed, self.log.not_ratified, self.log.resolved))(name, home=home)
        else:
            self.merge()
        self.log.after(days=self.random.choice((1, 15, 70)))
        if self.random.random() < 0.5:
            self.rules()
        self.random.choice((self.link, self.link, self.merge, self.classify, self.report_ends, self.reopen))()

    def take_apart(self) -> None:
        """A case is merged, time goes by, it is taken apart again; meanwhile or afterwards it loses reports."""
        name, home = self.some()
        beside = [other for other, there in self.cases if there == home and other != name]
        if not beside:
            return
        into, reports = self.random.choice(beside), [f"{home}/report/of {name}", self.report(home)]
        for report in reports[: self.random.randrange(3)]:
            self.log.linked(name, report, home=home)
        self.log.merged(name, into, home=home)
        self.log.after(days=self.random.choice((0, 1, 1, 40)))
        acts: list[Callable[[], object]] = [
            lambda: self.log.merge_reversed(name, into, home=home),
            *(lambda report=report: self.lose(name, report, home) for report in reports),
        ]
        self.random.shuffle(acts)
        for act in acts:
            act()
            if self.random.random() < 0.3:
                self.pass_time()

    def stand_for_others(self) -> None:
        """Cases with a report each, of which one stands for the others, until nothing or everything has fallen."""
        name, home = self.some()
        beside = [other for other, there in self.cases if there == home and other != name]
        family = [name, *self.random.sample(beside, min(len(beside), self.random.choice((1, 1, 2))))]
        for one_of_them in family:
            self.bare(one_of_them, home)
        pairs = [(lower, self.random.choice(family[:at])) for at, lower in enumerate(family) if at]
        acts: list[Callable[[], object]] = [partial(self.log.merged, *pair, home=home) for pair in pairs]
        if self.random.random() < 0.5:
            acts.append(self.pass_time)
        before = len(acts) if self.random.random() < 0.7 else 0
        acts += [partial(self.lose, one, f"{home}/report/of {one}", home) for one in family]
        acts += [partial(self.log.merge_reversed, *pair, home=home) for pair in pairs if self.random.random() < 0.5]
        acts += self.random.sample((self.link, self.assess, self.reopen, self.end, self.pass_time), 2)
        rest = acts[before:]
        self.random.shuffle(rest)
        for act in (*acts[:before], *rest):
            act()
            if self.random.random() < 0.2:
                self.pass_time()

    def bare(self, name: str, home: str) -> None:
        """A case is left with one report, of which nobody else has heard."""
        for report in (f"{home}/report/{number}" for number in range(4)):
            if self.log.links(name, report):
                self.log.unlinked(name, report, home=home)
        self.log.linked(name, f"{home}/report/of {name}", home=home)

    def lose(self, name: str, report: str, home: str) -> None:
        """A case loses a report in one of the three ways in which it can."""
        stream = f"report/{one(report)}"
        match self.random.randrange(3):
            case 0:
                self.log.unlinked(name, report, home=home)
            case 1:
                self.log.withdrawn(report, home=home)
            case _:
                self.log.write(stream, ReportSuperseded(received_again_as=one("another"), home="unplaced"), home=home)

    def lose_evidence(self) -> None:
        """A case's only report is withdrawn or unlinked, and mostly something is said of the case afterwards."""
        name, home = self.some()
        report = f"{home}/report/of {name}"
        self.log.reopened(name, home=home)
        self.log.linked(name, report, home=home)
        if self.random.random() < 0.5:
            self.log.unlinked(name, report, home=home)
        else:
            self.log.withdrawn(report, home=home)
        self.pass_time()
        self.random.choice((self.log.tick, self.link, self.assess, self.ratify, self.reopen, self.end))()

    def reopen(self) -> None:
        name, home = self.some()
        self.log.reopened(name, self.random.choice(("danger_returned", "new_evidence", "unheard_of")), home=home)

    def classify(self) -> None:
        name, home = self.some()
        self.log.classified(name, self.random.choice(self.kinds), home=home)

    def ratify(self) -> None:
        name, home = self.some()
        self.random.choice((self.log.ratified, self.log.not_ratified))(name, home=home)

    def merge(self) -> None:
        name, home = self.some()
        beside = [other for other, there in self.cases if there == home and other != name]
        if beside:
            act = self.random.choice((self.log.merged, self.log.merge_reversed))
            act(name, self.random.choice(beside), home=home)

    def beside_the_point(self) -> None:
        """An act that no level asks about, or one of an exercise."""
        name, home = self.some()
        if self.random.random() < 0.5:
            event = cases.CaseActionRecorded(what=ActionKind.VISIT, by=Resolver.COMMUNITY)
            self.log.write(f"case/{one(name)}", event, home=home)
        else:
            self.log.write(f"case/{one(name)}", cases.CaseClosed(reason=SEALED), home=home, mode=Mode.EXERCISE)

    # --- what everybody is told ---------------------------------------------------------------------------------------

    def rules(self) -> None:
        self.log.rules(drawn_rules(self.random))

    def reform(self) -> None:
        """Mostly forwards; back, since a committee may adopt the old gazetteer again."""
        self.log.gazetteer(gazetteer(self.random.choice(("2025", "2025", "2015"))))

    def election(self) -> None:
        on: date = self.log.now.date() + timedelta(days=self.random.randrange(-30, 45))
        self.log.election(
            on,
            name=f"election-{self.random.randrange(3)}",
            round=self.random.choice(("presidential", "legislative", "hill", "senate", "unheard_of")),
            standing=self.random.choice(("announced", "moved", "held", "cancelled", "unheard_of")),
            campaign_from=self.random.choice((None, on - timedelta(days=self.random.randrange(30)))),
        )

    def engine(self) -> None:
        if self.engines:
            self.log.engine(self.engines.pop(0))
        elif self.random.random() < 0.2:
            self.log.engine(1, projection="referral_board")
