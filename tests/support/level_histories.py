"""Histories about levels, made at random: cases of several homes, what befalls them, time that goes on.

A history follows from a seed and a length, so a failure is told by two numbers and shrinks by its length.
Hypothesis draws both: its own lists of steps were so thin that few levels ever changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from events.places.gazetteer import Gazetteer
from events.vocabulary import CaseOutcome, Circulating, Kind, VerificationState
from projections.taken import Taken
from services.gazetteer import read_gazetteer
from tests.contract.gazetteer.invented import write
from tests.support.levels import FIRST_RULES, Log

HOMES = {
    "ve:c:aro": ("ve:c:aro", "ve:c:bel", "ve:c2:abel"),
    "ve:c:cor": ("ve:c:cor", "ve:c:dun", "ve:c2:corin", "ve:z:quay", "ve:h:elm"),
    "ve:p:north": ("ve:p:north",),
    "outside:xx": ("outside:xx",),
    "unplaced": ("unplaced",),
}
"""Homes of the invented country Vela (tests/contract/gazetteer/invented), with places in them."""

OTHER_RULES = (
    FIRST_RULES.replace('name = "burundi-1"', 'name = "other"')
    .replace("Africa/Bujumbura", "Europe/Paris")
    .replace("points = 12000", "points = 30000")
    .replace("share = 300", "share = 900")
    .replace("ranks = [1000, 500, 250, 125", "ranks = [1000, 900, 800, 700")
    .replace("from_level = 2", "from_level = 1")
    .replace("lower_assessment_corrects = true", "lower_assessment_corrects = false")
    .replace("corrects_later = true", "corrects_later = false")
    .replace("missed = 2 ", "missed = 1 ")
    .replace("told_within_days = 1", "told_within_days = 0")
)
"""Rules under which much is otherwise: midnights, fading in summer, peace, ranks, alerts, who is silent when."""

BLIND_TO_SILENCE = FIRST_RULES.partition("[coverage]")[0]
"""Rules that say nothing of coverage: how well a place is watched is unknown."""


@cache
def vela(division: str) -> Gazetteer:
    """Vela with this division in force: `d1` of six communes, `d2` of four."""
    with TemporaryDirectory() as folder:
        gazetteer = read_gazetteer(write(Path(folder)))
    return Gazetteer(gazetteer.facts.model_copy(update={"division_in_force": division}))


class History(list[Taken]):
    """A history that is told by its seed and length."""

    def __init__(self, events: Sequence[Taken], seed: int, length: int, engines: tuple[int, ...]) -> None:
        super().__init__(events)
        self.made = f"history({seed}, {length}, {engines})"

    def __repr__(self) -> str:
        return self.made


def histories(*, engines: tuple[int, ...] = (1,), most: int = 80) -> st.SearchStrategy[History]:
    """Histories of up to so many steps; a step writes one event or a few."""
    return st.builds(history, st.integers(0, 2**32), st.integers(1, most), st.just(engines))


def history(seed: int, length: int, engines: tuple[int, ...] = (1,)) -> History:
    """The history of this seed. Most begin with rules, a gazetteer and an engine, but need not."""
    told = _Told(Random(seed), engines)
    for act in (told.rules, told.gazetteer, told.engine):
        if told.random.random() < 0.8:
            act()
    for _ in range(length):
        told.step()
    told.log.tick()
    return History(told.log.events, seed, length, engines)


class _Told:
    """A log as it is made up, and what is there to be changed."""

    def __init__(self, random: Random, engines: Sequence[int]) -> None:
        self.random = random
        self.log = Log()
        self.cases: list[tuple[str, str]] = []
        self.engines = list(engines)

    def step(self) -> None:
        hours = self.random.choices((0, 1, 5, 30, 24 * 3, 24 * 10, 24 * 45, 24 * 400), (20, 20, 20, 12, 8, 6, 2, 1))[0]
        self.log.after(hours=hours)
        acts: dict[Callable[[], Any], int] = {
            self.open: 25,
            self.assess: 25,
            self.link: 10,
            self.end: 18,
            self.judge: 8,
            self.watch: 12,
            self.sign: 22,
            self.come_back: 5,
            self.stand_for_others: 5,
            self.log.tick: 6,
            self.rules: 2,
            self.gazetteer: 3,
            self.election: 4,
            self.engine: 2,
            self.override: 5,
        }
        self.random.choices(list(acts), list(acts.values()))[0]()

    def open(self) -> None:
        home = self.random.choices(list(HOMES), (5, 6, 2, 1, 1))[0]
        self.open_in(home, (self.report(home),) if self.random.random() < 0.7 else ())

    def open_in(self, home: str, reports: tuple[str, ...]) -> str:
        random = self.random
        name = f"{home}/{len(self.cases)}"
        self.cases.append((name, home))
        kind = random.choices((*Kind, "unheard_of"), (6, 8, 2, 6, 2, 2, 2, 6, 1, 2, 1, 1))[0]
        self.log.opened(
            name,
            str(kind),
            unit=random.choice(HOMES[home]),
            home=home,
            occurred=random.choice((None, 0, 0, 2, random.randrange(40), (random.randrange(40), random.randrange(9)))),
            expected=random.choice((None, None, None, random.randrange(40))),
            precision=random.choices(("day", "week", "month", "unheard_of"), (5, 2, 2, 1))[0],
            severity=random.choice((None, "moderate", "severe", "extreme", "unheard_of")),
            threat=random.random() < 0.3,
            provisional=random.random() < 0.2,
            reports=reports,
        )
        return name

    def report(self, home: str) -> str:
        return f"{home}/report/{self.random.randrange(5)}"

    def any(self) -> tuple[str, str]:
        """A case, mostly a late one; now and then one that was never opened."""
        if not self.cases or self.random.random() < 0.02:
            return "never opened", "ve:c:aro"
        return self.cases[-1 - min(int(self.random.expovariate(0.3)), len(self.cases) - 1)]

    def assess(self) -> None:
        name, home = self.any()
        self.log.assessed(
            name,
            self.random.choices(("minor", "moderate", "severe", "extreme", "unheard_of"), (3, 6, 6, 3, 1))[0],
            self.random.choices(("1", "2", "3", "4", "5", "6", "unheard_of"), (6, 4, 3, 1, 1, 2, 1))[0],
            circulating=self.random.choice((*Circulating, "unheard_of")),
            state=self.random.choices((*VerificationState, "unheard_of"), (2, 2, 8, 4, 1, 2, 1, 1, 1, 1))[0],
            home=home,
        )

    def link(self) -> None:
        name, home = self.any()
        match self.random.randrange(3):
            case 0:
                self.log.linked(name, self.report(home), home=home)
            case 1:
                self.log.unlinked(name, self.report(home), home=home)
            case _:
                self.log.withdrawn(self.report(home), home=home)

    def end(self) -> None:
        name, home = self.any()
        match self.random.randrange(5):
            case 0 | 1:
                self.log.resolved(name, self.random.choice((*CaseOutcome, "unheard_of")), home=home)
            case 2:
                self.log.closed(name, home=home)
            case _:
                self.log.reopened(name, self.random.choice(("danger_returned", "new_evidence")), home=home)

    def judge(self) -> None:
        name, home = self.any()
        beside = [other for other, there in self.cases if there == home and other != name]
        match self.random.randrange(5):
            case 0:
                self.log.classified(name, str(self.random.choice((*Kind, "unheard_of"))), home=home)
            case 1:
                self.log.ratified(name, home=home)
            case 2:
                self.log.not_ratified(name, home=home)
            case 3 if beside:
                self.log.merged(name, self.random.choice(beside), home=home)
            case _ if beside:
                self.log.merge_reversed(name, self.random.choice(beside), home=home)

    def come_back(self) -> None:
        """A case goes for a while, mostly long enough to be laid by, and comes back; it may lose a report."""
        name, home = self.any()
        beside = [other for other, there in self.cases if there == home and other != name]
        report = f"{home}/report/of {name}"
        if self.random.random() < 0.7:
            self.log.linked(name, report, home=home)
        into = self.random.choice(beside) if beside and self.random.random() < 0.6 else None
        if into is not None:
            self.log.merged(name, into, home=home)
        else:
            self.random.choice((self.log.not_ratified, self.log.resolved, self.log.closed))(name, home=home)
        self.log.days(self.random.choice((0, 1, 3, 30, 120)))
        lose = self.random.choice(
            (
                lambda: self.log.withdrawn(report, home=home),
                lambda: self.log.unlinked(name, report, home=home),
                self.link,
            )
        )
        if self.random.random() < 0.3:
            lose()
        if into is not None:
            self.log.merge_reversed(name, into, home=home)
        else:
            self.random.choice((self.log.reopened, self.log.reopened, self.log.ratified))(name, home=home)
        self.log.after(hours=self.random.choice((0, 5, 30)))
        if self.random.random() < 0.7:
            lose()

    def stand_for_others(self) -> None:
        """Two or three new cases are merged, and lose their reports, are judged and are taken apart in any order."""
        random = self.random
        home = random.choices(list(HOMES), (5, 6, 2, 1, 1))[0]
        family = []
        for number in range(random.choice((2, 2, 3))):
            report = f"{home}/report/of {len(self.cases)}"
            reports = (report,) if number == 0 or random.random() < 0.85 else ()
            family.append((self.open_in(home, reports), report))
        pairs = [(name, random.choice(family[:at])[0]) for at, (name, _) in enumerate(family) if at]
        if random.random() < 0.7:
            self.log.assessed(family[0][0], random.choice(("severe", "extreme")), "1", home=home)
        acts: list[Callable[[], object]] = []
        acts += [partial(random.choice((self.lose, self.lose, self.link_again)), *one, home) for one in family]
        acts += [partial(self.log.merge_reversed, *pair, home=home) for pair in pairs if random.random() < 0.5]
        acts += [partial(self.lose, *one, home) for one in family if random.random() < 0.7]
        if random.random() < 0.4:
            acts.append(partial(random.choice((self.log.assessed, self.log.reopened)), family[0][0], home=home))
        random.shuffle(acts)
        acts[random.choice((0, 0, 0, 1)) : 0] = [partial(self.log.merged, *pair, home=home) for pair in pairs]
        for act in acts:
            act()
            self.log.after(hours=random.choice((0, 0, 5, 30)))

    def lose(self, name: str, report: str, home: str) -> None:
        if self.random.random() < 0.6:
            self.log.withdrawn(report, home=home)
        else:
            self.log.unlinked(name, report, home=home)

    def link_again(self, name: str, report: str, home: str) -> None:
        self.lose(name, report, home)
        self.log.linked(name, report, home=home)

    def watch(self) -> None:
        """A reporter is assigned to places, again or anew, or stands down; now and then one who is nowhere."""
        random = self.random
        home = random.choices(list(HOMES), (5, 6, 2, 1, 1))[0]
        name = f"{home}/reporter/{random.randrange(4)}"
        if random.random() < 0.25:
            self.log.stood_down(name, home=home)
            return
        units = random.sample(HOMES[home], random.randint(1, min(2, len(HOMES[home]))))
        channel = random.choice(("sms", "sms", "voice", "unheard_of"))
        self.log.assigned(name, *units, channel=channel, cadence_days=random.choice((1, 1, 3, 7, 30)), home=home)

    def sign(self) -> None:
        """Somebody lives: a check-in, of an earlier day or even of a later one, or a report."""
        random = self.random
        home = random.choices(list(HOMES), (5, 6, 2, 1, 1))[0]
        channel = random.choice(("sms", "sms", "voice", "unheard_of"))
        if random.random() < 0.6:
            name = f"{home}/reporter/{random.randrange(5)}"
            self.log.checked_in(name, days_ago=random.choice((0, 0, 1, 1, 2, 9, -3)), channel=channel, home=home)
            return
        self.log.received(
            f"{home}/report/{random.randrange(5)}",
            unit=random.choice(HOMES[home]),
            channel=channel,
            recorded_by=random.choice(("self", "coordinator", "operator", "system", "unheard_of")),
            days_ago=random.choice((0, 0, 0, 1, 4, -2)),
            home=home,
        )

    def rules(self) -> None:
        self.log.rules(self.random.choice((FIRST_RULES, FIRST_RULES, FIRST_RULES, OTHER_RULES, BLIND_TO_SILENCE)))

    def gazetteer(self) -> None:
        self.log.gazetteer(vela(self.random.choice(("d1", "d2"))))

    def override(self) -> None:
        """People tell another level of a unit for a while, or end that."""
        home = self.random.choices(list(HOMES), (5, 6, 2, 1, 1))[0]
        unit = self.random.choice(HOMES[home])
        if self.random.random() < 0.7:
            hours = self.random.choice((0, 1, 7, 24, 24 * 5, 24 * 30))
            self.log.overridden(self.random.randrange(5), unit=unit, home=home, hours=hours)
        else:
            self.log.override_ended(unit=unit, home=home)

    def engine(self) -> None:
        if self.engines:
            self.log.engine(self.engines.pop(0))

    def election(self) -> None:
        on = self.log.now.date() + timedelta(days=self.random.randrange(-30, 40))
        self.log.election(
            on,
            name=f"election-{self.random.randrange(2)}",
            round=self.random.choice(("presidential", "hill", "senate", "unheard_of")),
            standing=self.random.choice(("announced", "moved", "held", "cancelled", "unheard_of")),
            campaign_from=self.random.choice((None, on - timedelta(days=self.random.randrange(-3, 40)))),
        )
