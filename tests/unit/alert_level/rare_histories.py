"""Histories that chance seldom makes: each is where a fold may go wrong and a definition must be clear."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

from tests.support.level_histories import vela
from tests.support.levels import FIRST_RULES, Log
from tests.support.reform_histories import written


def begun(**changed: Any) -> Log:
    """A log with an engine and the first rules, some keys changed: `kinds__violence__points=1`."""
    rules = tomllib.loads(FIRST_RULES)
    for key, value in changed.items():
        *tables, last = key.split("__")
        table = rules
        for name in tables:
            table = table[name]
        table[last] = value
    return Log().rules(written(rules)).engine()


def laid_by() -> Log:
    """A case that was laid by under rules by which it faded in a day, and is not faded by those adopted since."""
    log = begun(kinds__violence__fade=[[1, 0]])
    return log.opened("a", severity="severe", reports=("r",)).opened("b").closed("a").days(3).rules()


RARE = {
    "merged away, laid by, taken apart, its only report withdrawn": (
        begun()
        .opened("a", severity="severe", reports=("r",))
        .opened("b")
        .merged("a", "b")
        .days(2)
        .merge_reversed("a", "b")
        .withdrawn("r")
    ),
    "merged away, laid by, its only report withdrawn, taken apart, linked again": (
        begun()
        .opened("a", severity="severe", reports=("r",))
        .opened("b")
        .merged("a", "b")
        .days(2)
        .withdrawn("r")
        .merge_reversed("a", "b")
        .tick()
        .linked("a", "s")
    ),
    "refused, laid by, reopened, its only report withdrawn": (
        begun()
        .opened("a", severity="severe", provisional=True, reports=("r",))
        .not_ratified("a")
        .days(2)
        .reopened("a")
        .tick()
        .withdrawn("r")
    ),
    "two cases of one report laid by, one of them has another": (
        begun()
        .opened("a", severity="severe", reports=("r", "s"))
        .opened("b", severity="severe", reports=("r",))
        .opened("c")
        .merged("a", "c")
        .merged("b", "c")
        .days(1)
        .withdrawn("r")
        .merge_reversed("a", "c")
        .merge_reversed("b", "c")
        .tick()
        .unlinked("a", "s")
    ),
    "laid by before the country was divided otherwise, then its report withdrawn": (
        begun()
        .gazetteer(vela("d1"))
        .opened("a", "tension", unit="ve:c:bel", home="ve:c:aro", reports=("r", "s"))
        .closed("a", home="ve:c:aro")
        .days(200)
        .gazetteer(vela("d2"))
        .withdrawn("r", home="ve:c:aro")
        .tick()
        .reopened("a", home="ve:c:aro")
    ),
    "laid by, then unlinked": laid_by().unlinked("a", "r"),
    "laid by, then linked": laid_by().linked("a", "s"),
    "laid by, then its report withdrawn": laid_by().withdrawn("r"),
    "laid by, then absorbing": laid_by().merged("b", "a"),
    "laid by, then merged away and taken apart": laid_by().merged("a", "b").merge_reversed("a", "b"),
    "merged, laid by, the other's only report withdrawn, then its own": (
        begun()
        .opened("a", severity="extreme", reports=("r",))
        .opened("b", reports=("s",))
        .merged("b", "a")
        .days(2)
        .withdrawn("r")
        .days(1)
        .withdrawn("s")
    ),
    "a chain through one that is laid by, the last report of all withdrawn at its end": (
        begun()
        .opened("a", severity="extreme", reports=("r",))
        .opened("b", reports=("s",))
        .opened("c", reports=("t",))
        .merged("c", "b")
        .days(2)
        .merged("b", "a")
        .days(2)
        .withdrawn("r")
        .withdrawn("s")
        .tick()
        .withdrawn("t")
        .linked("c", "u")
        .merge_reversed("b", "a")
    ),
    "in another row, one comes back and one loses its ground": (
        begun()
        .opened("a", severity="extreme", reports=("r",))
        .opened("b", severity="severe", unit="other", reports=("s",))
        .merged("b", "a")
        .withdrawn("r")
        .merge_reversed("b", "a")
        .merged("b", "a")
    ),
    "in one row, one is founded by a merging that leaves another unfounded": (
        begun()
        .opened("a", severity="extreme", reports=("r",))
        .opened("c", severity="severe", reports=("t",))
        .opened("b", reports=("s",))
        .merged("b", "a")
        .withdrawn("r")
        .withdrawn("t")
        .tick()
        .merged("b", "c")
    ),
    "laid by, unlinked from its last report, for which another stood": (
        begun()
        .opened("a", severity="extreme", reports=("r",))
        .opened("b", reports=("s",))
        .merged("b", "a")
        .days(2)
        .withdrawn("r")
        .unlinked("b", "s")
    ),
    "closed and laid by, its ground lost below it meanwhile, reopened": (
        begun()
        .opened("a", "tension", severity="severe", reports=("r",))
        .opened("b", reports=("s",))
        .merged("b", "a")
        .closed("a")
        .days(200)
        .withdrawn("r")
        .withdrawn("s")
        .reopened("a", "danger_returned")
        .merge_reversed("b", "a")
    ),
    "merged in a circle, laid by, judged and parted": (
        begun()
        .opened("a", severity="severe", reports=("r",))
        .opened("b", severity="severe", reports=("s",))
        .merged("a", "b")
        .merged("b", "a")
        .withdrawn("r")
        .days(2)
        .withdrawn("s")
        .assessed("a")
        .merge_reversed("b", "a")
        .merge_reversed("a", "b")
    ),
    "laid by at a midnight at which a window turns": (
        begun()
        .opened("a", "detention_or_rights", severity="extreme")
        .days(85)
        .resolved("a", "subsided")
        .election(date(2026, 7, 18))
        .days(5)
    ),
    "refused, reopened, not assessed": (
        begun().opened("a", "tension", severity="severe", provisional=True).not_ratified("a").reopened("a")
    ),
    "ratified, refused, reopened": (
        begun()
        .opened("a", "tension", severity="severe", provisional=True)
        .ratified("a")
        .not_ratified("a")
        .reopened("a")
    ),
    "refused, its report withdrawn, ratified after all": (
        begun().opened("a", provisional=True, reports=("r",)).not_ratified("a").withdrawn("r").ratified("a")
    ),
    "a window over at the midnight at which a case outside of it fades": (
        begun(kinds__tension__fade=[[6, 100], [90, 0]], kinds__tension__floored=False)
        .opened("a", "tension", severity="extreme")
        .election(date(2026, 5, 18), round="hill")
        .days(9)
    ),
    "a window over at the midnight at which the only case in it is gone": (
        begun(kinds__violence__fade=[[6, 0]], kinds__violence__floored=False)
        .opened("a", severity="severe")
        .election(date(2026, 5, 18), round="hill")
        .days(9)
    ),
    "lost at the midnight at which a window begins": (
        begun().assigned("r").opened("a", "detention_or_rights").election(date(2026, 6, 14)).days(9)
    ),
    "lost at the midnight at which a case is laid by": (
        begun(kinds__violence__fade=[[4, 0]]).assigned("r").opened("a").resolved("a").days(9).checked_in("r")
    ),
    "lost at the midnight at which a window is over": (
        begun().assigned("r").opened("a", "detention_or_rights").election(date(2026, 5, 16), round="hill").days(9)
    ),
    "absorbing another while merged away": (
        begun().opened("a", severity="severe").opened("b").opened("c").merged("a", "c").merge_reversed("b", "a")
    ),
    "rounded down at every step": (
        begun(
            kinds__violence__points=40001,
            severity__severe=1001,
            credibility__2=799,
            kinds__violence__fade=[[1, 777], [2, 333], [90, 0]],
            ended__resolved__settled=800,
        )
        .opened("a")
        .assessed("a", "severe", "2")
        .resolved("a")
        .days(1)
    ),
    "opened as extreme, assessed in a word of a later version": begun()
    .opened("a", severity="extreme")
    .assessed("a", "unheard_of", "1"),
    "assessed as graver and less certain, which raises the level, and then as less of both": (
        begun()
        .opened("a", "tension")
        .assessed("a", "severe", "1")
        .assessed("a", "extreme", "4")
        .assessed("a", "moderate", "5")
    ),
    "taken back while nobody watches, in two steps of which the second lowers": (
        begun()
        .assigned("w")
        .opened("a", reports=("r",))
        .opened("b", reports=("s",))
        .opened("c", reports=("t",))
        .days(10)
        .withdrawn("r")
        .tick()
        .withdrawn("s")
        .tick()
        .resolved("c")
        .tick()
        .checked_in("w")
    ),
    "taken back while nobody watches, and founded again before somebody does": (
        begun()
        .assigned("w")
        .opened("a", reports=("r",))
        .assessed("a")
        .days(10)
        .withdrawn("r")
        .tick()
        .linked("a", "s")
        .tick()
        .closed("a")
        .checked_in("w")
    ),
    "taken back while nobody watches, raised by another case meanwhile": (
        begun()
        .assigned("w")
        .opened("a", reports=("r",))
        .assessed("a")
        .days(10)
        .withdrawn("r")
        .opened("b")
        .assessed("b", "extreme")
        .tick()
        .closed("b")
        .checked_in("w")
    ),
    "taken back while nobody watches, under another gazetteer before somebody does": (
        begun()
        .gazetteer(vela("d1"))
        .assigned("w", "ve:c:aro", home="ve:c:aro")
        .opened("a", unit="ve:c:aro", home="ve:c:aro", reports=("r",))
        .assessed("a", home="ve:c:aro")
        .days(60)
        .withdrawn("r", home="ve:c:aro")
        .tick()
        .gazetteer(vela("d2"))
        .days(1)
        .checked_in("w", home="ve:c:aro")
    ),
    "taken back while nobody watches, corrected, and lost again": (
        begun()
        .assigned("w")
        .opened("a", reports=("r",))
        .opened("b")
        .days(10)
        .withdrawn("r")
        .checked_in("w")
        .days(10)
        .resolved("b")
        .tick()
        .checked_in("w")
    ),
    "more cases than ranks": begun(ranks=[1000, 333]).opened("a").opened("b").opened("c").opened("d"),
    "a rank that counts nothing, of a kind that nothing else is of": (
        begun(ranks=[1000, 333, 0])
        .opened("c", "tension")
        .opened("b")
        .opened("a", severity="severe")
        .opened("d", "weapons")
    ),
    "an election beside the outside and the unplaced": (
        begun()
        .opened("a", severity="extreme", unit="outside:rw", home="outside:rw")
        .opened("b", severity="extreme", unit="unplaced", home="unplaced")
        .election(date(2026, 5, 21))
        .days(1)
    ),
}
