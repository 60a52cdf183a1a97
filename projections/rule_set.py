"""A rule set: every number by which levels are computed and answers awaited, as TOML that a committee can read.

`read_rule_set` parses and checks a text; what is wrong is told by line and key, with what was expected and what to do.
Points are whole thousandths of a point, shares whole permille: all arithmetic is in integers. What each number does is
said in projections/alert_level; deploy/rules holds the first rule set, with a reason for every number.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError, model_validator
from pydantic_core import ErrorDetails

from events.alert import KindGroup
from events.reference import ElectionRound
from events.vocabulary import CaseOutcome, Circulating, Credibility, Kind, Severity, VerificationState
from projections.watching import Patience


def _whole(value: Any) -> Any:
    if isinstance(value, bool | float | str):
        raise ValueError("a whole number; write thousandths or permille, without a fraction or quotes")
    return value


Thousandths = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=1_000_000)]
Permille = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=1_000)]
Multiple = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=5_000)]
Days = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=3_650)]
Level = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=4)]
Hours = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=10_000)]
Step = tuple[Annotated[int, BeforeValidator(_whole), Field(ge=1, le=3_650)], Permille]
Four = tuple[Thousandths, Thousandths, Thousandths, Thousandths]


def _fading(steps: tuple[Step, ...]) -> None:
    if not steps or steps[-1][1] != 0:
        raise ValueError("fade|a last step of 0 permille; add one, since every case must fade to nothing in the end")
    for (days, share), (later, less) in pairwise(steps):
        if later <= days or less > share:
            raise ValueError("fade|days that grow and shares that do not; put the steps in order of their days")


class Rules(BaseModel):
    """A table of a rule set; a key that it does not know is a slip of the pen, so it is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class KindRule(Rules):
    """How cases of one kind give points."""

    points: Thousandths
    scored_by: Literal["credibility", "circulation"] = "credibility"
    fade: tuple[Step, ...]
    floored: StrictBool
    in_window: StrictBool
    softened: StrictBool
    group: KindGroup

    @model_validator(mode="after")
    def _fades(self) -> Self:
        _fading(self.fade)
        return self


class PeaceRule(Rules):
    """How cases of one kind take points off; `kept_when` are the outcomes with which such a case must be resolved."""

    points: Thousandths
    fade: tuple[Step, ...]
    kept_when: tuple[CaseOutcome, ...] = ()

    @model_validator(mode="after")
    def _fades(self) -> Self:
        _fading(self.fade)
        return self


class Peace(Rules):
    share: Permille
    blocked_by: tuple[Severity, ...]
    kinds: dict[Kind, PeaceRule]


class Unassessed(Rules):
    severity: Severity
    severity_of_threat: Severity
    credibility: Permille
    provisional: Permille
    ratified: Permille
    circulation: Permille


class Ended(Rules):
    resolved: dict[CaseOutcome, Permille]
    closed: Permille


class Levels(Rules):
    up: Four
    down: Four

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if any(later <= one for row in (self.up, self.down) for one, later in pairwise(row)):
            raise ValueError("points that grow from level 1 to level 4; put them in order")
        if any(down > up for up, down in zip(self.up, self.down, strict=True)):
            raise ValueError("no threshold downwards above the one upwards; lower it, or a level could not be held")
        return self


class StraightTo(Rules):
    severity: Severity
    level: Level


class Window(Rules):
    """Around elections of one round: from so many days before (or the campaign's start) to so many days after."""

    days_before: Days
    days_after: Days
    permille: Annotated[int, BeforeValidator(_whole), Field(ge=1_000, le=5_000)]


class Alerts(Rules):
    """What strangers are told. `lower_assessment_corrects`: an assessment by which a case weighs less takes back."""

    from_level: Level
    lower_assessment_corrects: bool = False


MOST_RUNGS = 9


class Rung(Rules):
    """So many hours after the target passed unanswered, people of this role are told: one that sees all gaps."""

    after_hours: Annotated[int, BeforeValidator(_whole), Field(ge=0, le=10_000)]
    tell: Literal["coordinator", "reviewer", "referral_officer", "analyst"]


class Response(Rules):
    """Within how many hours a case of a severity should be referred or decided, and who is told where it is not.

    `open_cases_too`: from their adoption on these hours hold for cases that wait for an answer already.
    """

    answer_within_hours: dict[Severity, Hours]
    open_cases_too: StrictBool = False
    ladder: tuple[Rung, ...] | None = None

    @model_validator(mode="after")
    def _climbs(self) -> Self:
        if self.ladder is not None and not 1 <= len(self.ladder) <= MOST_RUNGS:
            raise ValueError(f"ladder|1 to {MOST_RUNGS} rungs; add or take away some, or the whole ladder")
        for number, (rung, above) in enumerate(pairwise(self.ladder or ()), 1):
            if above.after_hours <= rung.after_hours:
                raise ValueError(
                    f"ladder.{number}.after_hours|more hours than on the rung below ({rung.after_hours}); "
                    "put the rungs in order of their hours"
                )
        return self


class CoverageRule(Rules):
    """From when a reporter is silent, and how many living ones, in permille, make confidence high or medium.

    `corrects_later`: what was taken back while nobody watched is corrected as such once somebody does.
    """

    missed: Annotated[int, BeforeValidator(_whole), Field(ge=1, le=30)]
    told_within_days: Annotated[int, BeforeValidator(_whole), Field(ge=0, le=30)]
    high_from: Permille
    medium_from: Permille
    corrects_later: StrictBool = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.medium_from > self.high_from:
            raise ValueError("medium_from not above high_from; exchange the two")
        return self

    @property
    def patience(self) -> Patience:
        return Patience(self.missed, self.told_within_days, self.high_from, self.medium_from)


class CommitteeRule(Rules):
    """How many must agree in a vote, and within how many hours a provisional case should be ratified or not."""

    required: Annotated[int, BeforeValidator(_whole), Field(ge=1, le=99)]
    ratify_within_hours: Hours


class RuleSet(Rules):
    """All of it. Every kind of case stands in exactly one of `kinds`, `peace.kinds` and `without_points`."""

    format: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    time_zone: str
    kinds: dict[Kind, KindRule]
    without_points: tuple[Kind, ...]
    severity: dict[Severity, Multiple]
    credibility: dict[Credibility, Permille]
    circulation: dict[Circulating, Permille]
    disproved: tuple[VerificationState, ...]
    unassessed: Unassessed
    floors: dict[Severity, Thousandths]
    ended: Ended
    ranks: Annotated[tuple[Permille, ...], Field(min_length=1, max_length=32)]
    peace: Peace
    windows: dict[ElectionRound, Window]
    straight_to: StraightTo
    levels: Levels
    alerts: Alerts
    response: Response
    committee: CommitteeRule
    coverage: CoverageRule | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        try:
            ZoneInfo(self.time_zone)
        except (ValueError, KeyError, OSError):
            raise ValueError("time_zone|a time zone's name like Africa/Bujumbura; correct it") from None
        stands = [*self.kinds, *self.peace.kinds, *self.without_points]
        if missing := [kind for kind in Kind if kind not in stands]:
            raise ValueError(f"kinds|every kind of case; add {', '.join(missing)}, or name it in without_points")
        if twice := sorted({kind for kind in stands if stands.count(kind) > 1}):
            raise ValueError(f"without_points|each kind in one place; take {', '.join(twice)} out of the others")
        tables: Iterable[tuple[str, Mapping[Any, int], type[Any]]] = (
            ("severity", self.severity, Severity),
            ("credibility", self.credibility, Credibility),
            ("circulation", self.circulation, Circulating),
            ("ended.resolved", self.ended.resolved, CaseOutcome),
        )
        for key, table, words in tables:
            if absent := [word for word in words if word not in table]:
                raise ValueError(f"{key}|a value for every word; add {', '.join(absent)}")
        if any(later > one for one, later in pairwise(self.ranks)):
            raise ValueError("ranks|shares that do not grow; put the largest first")
        return self


@dataclass(frozen=True, slots=True)
class RuleFault:
    """What is wrong in one place of a rule set's text."""

    line: int | None
    key: str
    expected: str
    mend: str

    def __str__(self) -> str:
        place = [f"line {self.line}"] if self.line else []
        place += [f"key {self.key}"] if self.key else []
        return f"{', '.join(place) or 'the file'}: expected {self.expected}; {self.mend}"


class RuleSetFaulty(ValueError):
    """A rule set cannot be used; nothing was adopted. Its message has one line a fault."""

    def __init__(self, faults: tuple[RuleFault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(["The rule set cannot be used:", *(str(fault) for fault in faults)]))


def read_rule_set(text: str) -> RuleSet:
    """Read and check a rule set; raises RuleSetFaulty."""
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise RuleSetFaulty((no_toml(error),)) from None
    try:
        return RuleSet.model_validate(tables)
    except ValidationError as error:
        raise RuleSetFaulty(tuple(_fault(text, one) for one in error.errors())) from None


def no_toml(error: ValueError | RecursionError) -> RuleFault:
    """What is wrong with a text that cannot be read as TOML, as tomllib says it."""
    if isinstance(error, RecursionError):
        return RuleFault(None, "", "tables and lists a few deep", "take the brackets out that stand in one another")
    if not isinstance(error, tomllib.TOMLDecodeError):  # Python reads no number of thousands of digits
        return RuleFault(None, "", "numbers of a few digits", "correct the one that has thousands")
    found = re.search(r"at line (\d+)", str(error))
    return RuleFault(int(found[1]) if found else None, "", "TOML", f"correct what stands there ({error})")


def hash_of(text: str) -> str:
    """The hash by which a rule set's text is known: SHA-256 of its UTF-8, in hex."""
    return sha256(text.encode()).hexdigest()


def _fault(text: str, error: ErrorDetails) -> RuleFault:
    place = [str(part) for part in error["loc"] if part != "[key]"]  # with the entries of lists, as `_keys` counts them
    path = [str(part) for part in error["loc"] if part != "[key]" and not isinstance(part, int)]
    counted = [part + 1 for part in error["loc"] if isinstance(part, int)]
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            expected, mend = "one number more" if counted else "this key", "add it"
        case "bool_type":
            expected, mend = "true or false", "write one of them, without quotes"
        case "extra_forbidden":
            expected, mend = "no such key here", "correct its spelling, or remove it"
        case "literal_error" if path == ["format"]:
            expected, mend = "1, the form that this program reads", "a file of a later form wants a later program"
        case "greater_than_equal" | "less_than_equal":
            bound, than = ("least", "ge") if "ge" in context else ("most", "le")
            expected, mend = f"a whole number of at {bound} {context[than]}", "correct it"
        case "value_error":
            told = str(context["error"])
            key, sign, rest = told.partition("|")
            if sign:
                place, told = [*place, *key.split(".")], rest
                path += [part for part in key.split(".") if not part.isdecimal()]
                counted += [int(part) + 1 for part in key.split(".") if part.isdecimal()]
            expected, _, mend = told.partition("; ")
        case _:
            said = error["msg"].removeprefix("Input should be ")
            expected, mend = said[:1].lower() + said[1:], "correct it"
    places = (f", {word} {number}" for word, number in zip(("entry", "number"), counted, strict=False))
    return RuleFault(_line_of(text, place), "".join([".".join(path), *places]), expected, mend)


_TABLE = re.compile(r"^\s*(\[{1,2})\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r'^\s*((?:[A-Za-z0-9_-]+|"[^"]*")(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"))*)\s*=')


def _line_of(text: str, path: list[str]) -> int | None:
    """The line of the key, or of the nearest table above it; None where the file holds neither."""
    best, deepest = None, 0
    for line, key in _keys(text):
        shared = 0
        for one, other in zip(key, path, strict=False):
            if one != other:
                break
            shared += 1
        if shared == len(key) and shared > deepest:
            best, deepest = line, shared
    return best


def _keys(text: str) -> Iterator[tuple[int, list[str]]]:
    table: list[str] = []
    entries: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        if found := _TABLE.match(line):
            table = _parts(found[2])
            if found[1] == "[[":  # one more entry of a list of tables
                entries[found[2]] += 1
                table.append(str(entries[found[2]] - 1))
            yield number, table
        elif found := _KEY.match(line):
            yield number, [*table, *_parts(found[1])]


def _parts(key: str) -> list[str]:
    return [part.strip().strip('"') for part in key.split(".")]
