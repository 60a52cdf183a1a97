"""What page and screen say alike: how verdicts and days are called, and the rows of every table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from projections.alert_level.naming import LEVELS
from services.what_if.comparing import Comparison, Side, Unknown, Verdict, Warned
from services.what_if.document import lead_summary
from services.what_if.reading import WhatIf

VERDICTS = {
    Verdict.BORNE_OUT: "borne out: harm was done, or a severe case was confirmed",
    Verdict.PREVENTED: "prevented or settled, so no false alarm",
    Verdict.FALSE: "false: nothing came of it, or it was taken back",
    Verdict.UNKNOWN: "unknown",
}
UNKNOWN = {
    Unknown.NO_CASE: "no case was recorded about it",
    Unknown.TOO_EARLY: "less than a month over",
    Unknown.NO_OUTCOME: "a case without a known outcome",
}
CHANGES = {
    "raised": "raised",
    "lowered": "lowered",
    "corrected": "corrected",
    "cancelled": "cancelled",
}


class Row(NamedTuple):
    """A line of a table: what is counted, and both sides' numbers."""

    what: str
    adopted: str
    other: str
    difference: str = ""


def counted(what: str, adopted: int, other: int) -> Row:
    return Row(what, f"{adopted:,}", f"{other:,}", signed(other - adopted))


def signed(number: int) -> str:
    return f"{number:+,}".replace("-", "−") if number else "0"


def on(ordinal: int) -> str:
    """A day as people read it."""
    return f"{date.fromordinal(ordinal):%-d %b %Y}"


def asked(told: WhatIf) -> str:
    """What was compared, in one sentence."""
    compared = told.compared
    adopted = " and ".join(f"“{name}”" for name in dict.fromkeys(one.name for one in told.adopted))
    return (
        f"The rule set “{told.name}” beside {adopted}, as adopted: {len(compared.units):,} units, "
        f"{on(compared.first)} to {on(compared.last)}, as far as position {told.moment.position:,} of the log."
    )


def level_rows(compared: Comparison) -> list[Row]:
    """Days at each level, over all units."""
    adopted, other = compared.unit_days[Side.ADOPTED], compared.unit_days[Side.OTHER]
    return [
        *(
            counted(f"{number} {name}", adopted[number], other[number])
            for number, name in reversed([*enumerate(LEVELS)])
        ),
        counted(
            f"{LEVELS[compared.warned_from]} or worse",
            compared.alert_days(Side.ADOPTED),
            compared.alert_days(Side.OTHER),
        ),
    ]


def lead_rows(compared: Comparison) -> list[Row]:
    """How early severe cases were warned of."""
    found = lead_summary(compared)
    names = {
        "warned_before": "warned of before their day",
        "warned_on_the_day": "warned of on the day itself",
        "warned_late": "warned of late",
        "never_warned": "never warned of",
    }
    return [counted(said, found[key]["adopted"], found[key]["other"]) for key, said in names.items()]


def lead_sentences(compared: Comparison) -> list[str]:
    """What was gained and lost, and what is not asked."""
    found = lead_summary(compared)
    sentences = [
        f"Of {found['cases']:,} severe cases the other rules warn earlier of {found['earlier']:,} "
        f"({found['days_gained']:,} days gained in all) and later of {found['later']:,} "
        f"({found['days_lost']:,} days lost); of {found['as_early']:,} both warn alike.",
        f"Of {found['only_other_warned']:,} only the other rules warn, of {found['only_adopted_warned']:,} only those "
        "that were adopted.",
    ]
    if found["not_asked"]:
        sentences.append(
            f"Of {found['not_asked']:,} more nothing is said: their day is outside these days, or nobody knows where "
            "they were."
        )
    return sentences


def verdict_rows(compared: Comparison) -> list[Row]:
    """What became of the alerts."""
    adopted, other = compared.verdicts(Side.ADOPTED), compared.verdicts(Side.OTHER)
    rows = [counted(said, adopted[verdict], other[verdict]) for verdict, said in VERDICTS.items()]
    for because, said in UNKNOWN.items():
        numbers = [
            sum(one.because is because for one in compared.alerts if one.side is side)
            for side in (Side.ADOPTED, Side.OTHER)
        ]
        rows.append(counted(f"    of these: {said}", *numbers))
    rows.append(counted("all alerts", adopted.total(), other.total()))
    alone = [sum(one.alone for one in compared.alerts if one.side is side) for side in (Side.ADOPTED, Side.OTHER)]
    rows.append(counted("alerts that the other side has none of", *alone))
    shares = [percent(compared.false_permille(side)) for side in (Side.ADOPTED, Side.OTHER)]
    return [*rows, Row("false, of those that are not unknown", *shares)]


def percent(permille: int | None) -> str:
    return "not known" if permille is None else f"{permille / 10:.1f} %"


def told_rows(compared: Comparison) -> list[Row]:
    """What strangers would have been sent."""
    adopted, other = compared.told[Side.ADOPTED], compared.told[Side.OTHER]
    rows = [counted(said, adopted.get(change, 0), other.get(change, 0)) for change, said in CHANGES.items()]
    return [*rows, counted("all alerts sent", sum(adopted.values()), sum(other.values()))]


def most_telling(compared: Comparison, most: int) -> Sequence[Warned]:
    """Severe cases with the greatest difference between the sides, those that only one side warned of first."""

    def weight(one: Warned) -> tuple[bool, int, int]:
        gained = one.gained
        one_sided = (one.adopted is None) != (one.other is None)
        return (not one_sided, -abs(gained or 0), one.day)

    differing = [one for one in compared.warned if one.adopted != one.other]
    return sorted(differing, key=weight)[:most]


def said_lead(lead: int | None) -> str:
    if lead is None:
        return "never"
    if lead == 0:
        return "on the day"
    days = f"{abs(lead)} day{'s' * (abs(lead) != 1)}"
    return f"{days} before" if lead > 0 else f"{days} late"


def left_out_sentences(told: WhatIf) -> list[str]:
    return [
        f"{one.home} is left out on both sides: position {one.position} cannot be folded ({one.why})."
        for one in told.left_out
    ]
