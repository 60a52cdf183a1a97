"""A file of histories: what happens in an invented place day by day, and the level that should follow.

It is TOML, one `[[history]]` after the other; each has a name and steps, one line a step, in the order of their days.
`read_histories` checks all of it; what is wrong is told by line, with what was expected and what to do.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    Tag,
    ValidationError,
    model_validator,
)

from events.alert import AlertChange
from events.level import Confidence
from events.reference import ElectionRound, ElectionStanding
from events.vocabulary import (
    CaseOutcome,
    Channel,
    Circulating,
    Credibility,
    Kind,
    ReasonReopened,
    Severity,
    UnitId,
    VerificationState,
)
from projections.alert_level.naming import LEVELS
from projections.rule_set import RuleFault, no_toml

HERE = "here"
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)


def _within(day: date) -> date:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"a day from {FIRST_DAY} to {LAST_DAY}; correct its year")
    return day


On = Annotated[date, AfterValidator(_within)]

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,40}$")]
"""A case, report or election of a history, as its file calls it."""


class Told(BaseModel):
    """A table of the file; a key that it does not know is a slip of the pen, so it is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Step(Told):
    """Something that happens on a day; `verb` is the key that says what, and names the case."""

    verb: ClassVar[str]

    on: On

    @property
    def case(self) -> str:
        return str(getattr(self, self.verb))


class Open(Step):
    """A case is opened. It happened that day, unless `occurred` or `expected` says otherwise."""

    verb: ClassVar[str] = "open"

    open: Name
    kind: Kind
    place: UnitId = HERE
    severity: Severity | None = None
    threat_to_life: StrictBool = False
    provisional: StrictBool = False
    occurred: On | None = None
    expected: On | None = None
    reports: tuple[Name, ...] = ()


class Assess(Step):
    """The committee assesses a case."""

    verb: ClassVar[str] = "assess"

    assess: Name
    severity: Severity
    credibility: Credibility
    circulating: Circulating = Circulating.UNKNOWN
    state: VerificationState = VerificationState.CONFIRMED_TRUE


class Classify(Step):
    verb: ClassVar[str] = "classify"

    classify: Name
    kind: Kind


class Ratify(Step):
    verb: ClassVar[str] = "ratify"

    ratify: Name


class Refuse(Step):
    """The committee does not stand behind a provisional case."""

    verb: ClassVar[str] = "refuse"

    refuse: Name


class Link(Step):
    verb: ClassVar[str] = "link"

    link: Name
    report: Name


class Unlink(Step):
    verb: ClassVar[str] = "unlink"

    unlink: Name
    report: Name


class Withdraw(Step):
    """A report is withdrawn, from every case that it is linked to."""

    verb: ClassVar[str] = "withdraw"

    withdraw: Name


class Merge(Step):
    verb: ClassVar[str] = "merge"

    merge: Name
    into: Name


class Part(Step):
    """A merging is reversed."""

    verb: ClassVar[str] = "part"

    part: Name
    into: Name


class Resolve(Step):
    verb: ClassVar[str] = "resolve"

    resolve: Name
    outcome: CaseOutcome


class Reopen(Step):
    verb: ClassVar[str] = "reopen"

    reopen: Name
    reason: ReasonReopened


class Close(Step):
    verb: ClassVar[str] = "close"

    close: Name


class Cover(Step):
    """A reporter is assigned to a place over a channel, with a sign of life every so many days."""

    verb: ClassVar[str] = "cover"

    cover: Name
    place: UnitId = HERE
    channel: Channel = Channel.SMS
    every: Annotated[int, Field(ge=1, le=366)]


class CheckIn(Step):
    """A reporter gives a sign of life, over the channel by which they cover their place unless another is stated."""

    verb: ClassVar[str] = "check_in"

    check_in: Name
    channel: Channel | None = None


class StandDown(Step):
    """A reporter covers nothing any more."""

    verb: ClassVar[str] = "stand_down"

    stand_down: Name


class Receive(Step):
    """A report comes in: a sign of life of its place and channel."""

    verb: ClassVar[str] = "receive"

    receive: Name
    place: UnitId = HERE
    channel: Channel = Channel.SMS


class Election(Step):
    """On this day it is known that an election is held on `polling`, or no more."""

    verb: ClassVar[str] = "election"

    election: Name
    round: ElectionRound
    polling: On
    campaign_from: On | None = None
    standing: ElectionStanding = ElectionStanding.ANNOUNCED


def _level(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(LEVELS):
        return value
    if value in LEVELS:
        return LEVELS.index(value)
    raise ValueError(f"a level: 0 to 4, or one of {', '.join(LEVELS)}; correct it")


class Expect(Step):
    """The level that stands then, as a number or a word; and beside it, where stated, what else does.

    `alert` is the last thing strangers were told of the place: raised, lowered, corrected, cancelled, or none.
    """

    verb: ClassVar[str] = "expect"

    expect: Annotated[int, BeforeValidator(_level)]
    place: UnitId = HERE
    points: int | None = None
    open_cases: int | None = None
    confidence: Confidence | None = None
    alert: AlertChange | Literal["none"] | None = None


_STEPS: tuple[type[Step], ...] = (
    Open,
    Assess,
    Classify,
    Ratify,
    Refuse,
    Link,
    Unlink,
    Withdraw,
    Merge,
    Part,
    Resolve,
    Reopen,
    Close,
    Cover,
    CheckIn,
    StandDown,
    Receive,
    Election,
    Expect,
)
VERBS = tuple(step.verb for step in _STEPS)

NAMES_NO_CASE = (Open, Withdraw, Cover, CheckIn, StandDown, Receive, Election, Expect)


def _verb_of(step: Any) -> str | None:
    told = [verb for verb in VERBS if isinstance(step, dict) and verb in step]
    return told[0] if len(told) == 1 else None


AnyStep: TypeAlias = Annotated[
    Annotated[Open, Tag("open")]
    | Annotated[Assess, Tag("assess")]
    | Annotated[Classify, Tag("classify")]
    | Annotated[Ratify, Tag("ratify")]
    | Annotated[Refuse, Tag("refuse")]
    | Annotated[Link, Tag("link")]
    | Annotated[Unlink, Tag("unlink")]
    | Annotated[Withdraw, Tag("withdraw")]
    | Annotated[Merge, Tag("merge")]
    | Annotated[Part, Tag("part")]
    | Annotated[Resolve, Tag("resolve")]
    | Annotated[Reopen, Tag("reopen")]
    | Annotated[Close, Tag("close")]
    | Annotated[Cover, Tag("cover")]
    | Annotated[CheckIn, Tag("check_in")]
    | Annotated[StandDown, Tag("stand_down")]
    | Annotated[Receive, Tag("receive")]
    | Annotated[Election, Tag("election")]
    | Annotated[Expect, Tag("expect")],
    Discriminator(
        _verb_of,
        custom_error_type="no_verb",
        custom_error_message=f"exactly one of {', '.join(VERBS)}",
    ),
]


class History(Told):
    """What happens, one step after the other."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    steps: Annotated[tuple[AnyStep, ...], Field(max_length=1_000)]

    @model_validator(mode="after")
    def _as_it_can_happen(self) -> Self:
        if not any(isinstance(step, Expect) for step in self.steps):
            raise ValueError("steps|at least one `expect`; add the level that should follow")
        for number, (one, later) in enumerate(pairwise(self.steps), 1):
            if later.on < one.on:
                raise ValueError(f"steps.{number}|days that do not go back; put the steps in order")
        if self.steps[-1].on - self.steps[0].on > timedelta(days=36_500):
            raise ValueError("steps|at most a hundred years; correct the dates")
        opened: set[str] = set()
        covering: set[str] = set()
        linked: set[str] = set()
        received: set[str] = set()
        places = {HERE} | {step.place for step in self.steps if isinstance(step, Open | Cover | Receive)}
        for number, step in enumerate(self.steps):
            linked.update(step.reports if isinstance(step, Open) else [step.report] if isinstance(step, Link) else [])
            if isinstance(step, Receive):
                received.add(step.case)
            if isinstance(step, Expect) and step.place not in places:
                raise ValueError(
                    f"steps.{number}|a place where something happens in this history, which {step.place!r} is not; "
                    "correct its name, or let a report come in there"
                )
            if isinstance(step, Withdraw) and step.case not in linked | received:
                raise ValueError(f"steps.{number}|a report that came before; link or receive {step.case!r} first")
            if isinstance(step, Unlink) and step.report not in linked:
                raise ValueError(f"steps.{number}|a report linked before; link {step.report!r} first")
            if isinstance(step, Merge | Part) and step.case == step.into:
                raise ValueError(f"steps.{number}|two cases; name another one in `into`")
            if isinstance(step, Cover):
                covering.add(step.case)
            if isinstance(step, CheckIn | StandDown) and step.case not in covering:
                raise ValueError(f"steps.{number}|a reporter who covers a place; let {step.case!r} cover one first")
            if isinstance(step, Open):
                if step.case in opened:
                    raise ValueError(f"steps.{number}|a case that is not open already; give {step.case!r} another name")
                opened.add(step.case)
            for name in _cases_named(step):
                if name not in opened:
                    raise ValueError(f"steps.{number}|a case opened before; open {name!r} first, or correct its name")
        return self


def _cases_named(step: Step) -> Iterator[str]:
    if not isinstance(step, NAMES_NO_CASE):
        yield step.case
    if isinstance(step, Merge | Part):
        yield step.into


class Histories(Told):
    history: Annotated[tuple[History, ...], Field(max_length=1_000)]

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.history:
            raise ValueError("history|at least one; write it")
        return self


class HistoriesFaulty(ValueError):
    """A file of histories cannot be used. Its message has one line a fault."""

    def __init__(self, faults: tuple[RuleFault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(["The histories cannot be used:", *(str(fault) for fault in faults)]))


def read_histories(text: str) -> tuple[History, ...]:
    """Read and check a file's text; raises HistoriesFaulty."""
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise HistoriesFaulty((no_toml(error),)) from None
    try:
        return Histories.model_validate(tables).history
    except ValidationError as error:
        lines = _lines(text)
        raise HistoriesFaulty(tuple(_fault(lines, one) for one in error.errors())) from None


def _fault(lines: list[tuple[int, list[int]]], error: Any) -> RuleFault:
    place = [*error["loc"][:4], *error["loc"][5:]]  # the fifth is the verb by which a step was told from others
    match error["type"]:
        case "missing":
            expected, mend = "this key", "add it"
        case "extra_forbidden":
            expected, mend = "no such key here", "correct its spelling, or remove it"
        case "value_error":
            told = str(error["ctx"]["error"])
            key, sign, rest = told.partition("|")
            if sign:
                place, told = [*place, *(int(part) if part.isdigit() else part for part in key.split("."))], rest
            expected, _, mend = told.partition("; ")
        case _:
            said = error["msg"].removeprefix("Input should be ")
            expected, mend = said[:1].lower() + said[1:], "correct it"
    return RuleFault(_line_of(lines, place), _key(place), expected, mend)


def _key(place: list[Any]) -> str:
    """`history 2, step 3, severity`: people count from one."""
    told, names = [], {"history": "history", "steps": "step"}
    for part, following in zip(place, [*place[1:], None], strict=True):
        if isinstance(part, int):
            continue
        told.append(f"{names.get(part, part)} {following + 1}" if isinstance(following, int) else str(part))
    return ", ".join(told)


def _lines(text: str) -> list[tuple[int, list[int]]]:
    """The line of each history, and those of its steps where each begins a line of its own."""
    found: list[tuple[int, list[int]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*\[\[\s*history\s*\]\]", line):
            found.append((number, []))
        elif found and re.match(r"\s*(steps\s*=\s*\[\s*)?\{", line):
            found[-1][1].append(number)
    return found


def _line_of(lines: list[tuple[int, list[int]]], place: list[Any]) -> int | None:
    numbers = [part for part in place if isinstance(part, int)]
    if not numbers or numbers[0] >= len(lines):
        return None
    line, steps = lines[numbers[0]]
    return steps[numbers[1]] if len(numbers) > 1 and numbers[1] < len(steps) else line
