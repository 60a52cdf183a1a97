"""Which grave cases nobody answered, the slow way: what projections/referral_board says of them, read again from the
whole log each time it is asked. Only what was told, and how far it came, is carried along.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from projections.taken import Taken

GRAVE = ("severe", "extreme")
STATES = {
    "case.referred": "made",
    "case.referral_acknowledged": "acknowledged",
    "case.referral_accepted": "accepted",
    "case.referral_declined": "declined",
    "case.referral_completed": "completed",
    "case.referral_revoked": "revoked",
}

BESIDE = (
    *("classified", "report_linked", "report_unlinked", "harm_recorded", "harm_checked", "consent_recorded"),
    *("consent_withdrawn", "related", "unrelated"),
)
"""What is told of a case and lets no moment of it pass, since nothing here rests on it."""


@dataclass
class Gap:
    """One time that a case was found without an answer; `answered` is when and by what it left the list."""

    due: str
    step: int
    answered: tuple[str, str] | None = None
    told: bool = False
    rungs: list[tuple[str, str]] = field(default_factory=list)


class Ask(NamedTuple):
    """From when an answer is wanted: how grave it was then, and how long the log was when it became so; `of` is the
    case that had waited since then."""

    at: str
    severity: str
    since: int
    of: str | None = None


@dataclass
class Listed:
    """What is on the list of one case, and what was ever told of it: (moment, what, step, rung, whom)."""

    gaps: list[Gap] = field(default_factory=list)
    told: list[tuple[str, str, int, int, str | None]] = field(default_factory=list)

    @property
    def open(self) -> Gap | None:
        return self.gaps[-1] if self.gaps and self.gaps[-1].answered is None else None


def listed(log: Sequence[Taken]) -> dict[str, Listed]:
    """Every case of the log that counts, with its gaps."""
    streams = {one.stream for one in log if one.type == "case.opened" and one.mode == "actual"}
    return {stream: _of(log, stream) for stream in streams}


def _of(log: Sequence[Taken], stream: str) -> Listed:
    case = Listed()
    targets: dict[Ask, str | None] = {}
    for end, event in enumerate(log, 1):
        if event.mode != "actual" or (event.stream != stream and not event.is_broadcast):
            continue
        if event.type.removeprefix("case.") in BESIDE:
            continue
        _pass(case, log[: end - 1], stream, _earliest(targets), event.time)
        targets = _targets(case, log[:end], stream, targets)
        _answer(case, log[:end], stream, _earliest(targets), event)
        _pass(case, log[:end], stream, _earliest(targets), event.time)
    return case


def _pass(case: Listed, log: Sequence[Taken], stream: str, target: str | None, now: str) -> None:
    """The moment passes where an answer is awaited; then the ladder is climbed."""
    if target is None or target > now or not _asked_from(log, stream) or _merged(log, stream):
        return
    gap = case.open
    if gap is None:
        last = case.gaps[-1] if case.gaps else None
        if last and last.due >= target and last.answered and last.answered[1] == "case.merged":
            gap, last.answered = last, None  # parted again it stands as it stood
        else:
            gap = Gap(target, last.step + 1 if last else 1)
            case.gaps.append(gap)
    if not _speaks(log):
        return
    if not gap.told:
        gap.told = True
        case.told.append((gap.due, "overdue", gap.step, 0, None))
    for rung in _response(_rules(log)).get("ladder", [])[len(gap.rungs) :]:
        if (at := _later(gap.due, rung["after_hours"])) > now:
            break
        gap.rungs.append((rung["tell"], at))
        case.told.append((at, "escalated", gap.step, len(gap.rungs), rung["tell"]))


def _answer(case: Listed, log: Sequence[Taken], stream: str, target: str | None, event: Taken) -> None:
    gap = case.open
    if gap and (not _asked_from(log, stream) or _merged(log, stream) or target is None or target > gap.due):
        gap.answered = event.time, event.type


def _targets(
    case: Listed, log: Sequence[Taken], stream: str, targets: Mapping[Ask, str | None]
) -> dict[Ask, str | None]:
    """By when an answer is wanted after the last event of the log, for each time that it is asked."""
    asks, event = _asked_from(log, stream), log[-1]
    rules = _response(_rules(log))
    due = _earliest(targets)
    passed = bool(case.gaps) and due is not None and case.gaps[-1].due >= due
    adopted = event.type in ("reference.rules_adopted", "reference.engine_adopted")
    if adopted and _open_too(rules) and not passed:
        return {ask: _by(rules, ask) for ask in asks}
    now = {ask: _by(rules if _open_too(rules) else _response(_rules(log[: ask.since])), ask) for ask in asks}
    return {ask: targets.get(ask, due) for ask, due in now.items()}


def _asked_from(log: Sequence[Taken], stream: str) -> list[Ask]:
    """From when an answer is wanted that is not there, each time it was asked: the first ask, whenever the severity
    changed, and what waited already when it was merged into this. Nothing while none is."""
    asks: list[Ask] = []
    since, was = 0, None
    for end, event in enumerate(log, 1):
        if event.stream != stream or event.mode != "actual":
            continue
        own = [one for one in log[:end] if one.stream == stream]
        severity = _severity(own)
        if severity != was:
            since, was = end, severity
        if not (_open(own) and severity in GRAVE and not _answered(own)):
            asks = []
        elif not asks or [one for one in asks if one.of is None][-1].severity != severity:
            asks.append(Ask(event.time, str(severity), since))
        elif event.type == "case.merged" and event.data.get("asked_since"):
            asks.append(Ask(event.data["asked_since"], str(severity), since, event.data["absorbed"]))
        elif event.type == "case.merge_reversed" and "absorbed" in event.data:
            asks = [one for one in asks if one.of != event.data["absorbed"]]
    return asks


def _severity(own: Sequence[Taken]) -> str | None:
    for event in reversed(own):
        if event.type == "case.assessed":
            return str(event.data["severity"])
        if event.type == "case.opened":
            return event.data.get("severity") or ("severe" if event.data["threat_to_life"] else None)
    return None


def _open(own: Sequence[Taken]) -> bool:
    ends = ("case.opened", "case.reopened", "case.resolved", "case.closed", "case.not_ratified")
    return next(one.type for one in reversed(own) if one.type in ends) in ends[:2]


def _answered(own: Sequence[Taken]) -> bool:
    """Whether a referral is in good hands, or somebody decided or acted since it was asked of them."""
    begun = next(one.time for one in reversed(own) if one.type in ("case.opened", "case.reopened"))
    for referral_id in {one.data["referral_id"] for one in own if one.type == "case.referred"}:
        steps = [one for one in own if one.data.get("referral_id") == referral_id]
        state, last = "", steps[0]
        for step in steps:
            if step.type in STATES:
                state, last = STATES[step.type], step
            elif step.type == "case.referral_outcome_checked" and step.data["outcome"] == "contradicted":
                state = "made"
        if state == "accepted" or (state == "completed" and last.data["successful"] and last.time > begun):
            return True
    for number, event in reversed([*enumerate(own)]):
        if event.type in ("case.decided", "case.action_recorded"):
            return True
        if event.type == "case.reopened" or event.data.get("outcome") == "contradicted":
            return False
        graver = event.type == "case.assessed" and event.data["severity"] in GRAVE
        if graver and _severity(own[:number]) not in GRAVE:  # what was decided before was about a lesser case
            return False
    return False


def _merged(log: Sequence[Taken], stream: str) -> bool:
    words = ("case.merged", "case.merge_reversed")
    away = [one for one in log if one.stream == stream and one.type in words and "into" in one.data]
    return bool(away) and away[-1].type == words[0]


def _rules(log: Sequence[Taken]) -> Taken | None:
    return next((one for one in reversed(log) if one.type == "reference.rules_adopted"), None)


def _response(adopted: Taken | None) -> Mapping[str, Any]:
    return tomllib.loads(adopted.data["content"]).get("response", {}) if adopted else {}


def _open_too(rules: Mapping[str, Any]) -> bool:
    return bool(rules.get("open_cases_too", False))


def _by(rules: Mapping[str, Any], ask: Ask) -> str | None:
    hours = rules.get("answer_within_hours", {}).get(ask.severity)
    return None if hours is None else _later(ask.at, hours)


def _speaks(log: Sequence[Taken]) -> bool:
    return any(one.type == "reference.engine_adopted" and one.data["projection"] == "referral_board" for one in log)


def _earliest(targets: Mapping[Ask, str | None]) -> str | None:
    return min((one for one in targets.values() if one is not None), default=None)


def _later(at: str, hours: int) -> str:
    return (datetime.fromisoformat(at) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
